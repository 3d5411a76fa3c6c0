package org.vestibule.app

import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.ui.ImageComposeScene
import androidx.compose.ui.geometry.Rect
import androidx.compose.ui.platform.LocalLayoutDirection
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.text.AnnotatedString
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.LayoutDirection
import org.jetbrains.skia.Bitmap
import org.jetbrains.skia.EncodedImageFormat
import org.jetbrains.skia.Image
import java.io.File
import java.time.Clock
import java.util.Locale
import java.util.concurrent.TimeUnit
import kotlin.math.abs

/** A phone's display: draws a screen, and lets a test read and touch it as a screen reader does. */
class Scene(
    private val dark: Boolean = false,
    wording: Wording = Wording.of(Locale.UK, Clock.systemDefaultZone()),
    width: Int = 412,
    height: Int = 892,
    private val density: Float = 2f,
    letters: Float = 1f,
    direction: LayoutDirection = LayoutDirection.Ltr,
    content: @Composable () -> Unit,
) : AutoCloseable {
    private var frame = 0L
    private val size = listOf(width, height).map { (it * density).toInt() }
    private val scene = ImageComposeScene(size[0], size[1], Density(density, letters)) {
        CompositionLocalProvider(LocalLayoutDirection provides direction) {
            VestibuleTheme(dark, wording) { content() }
        }
    }

    /** Draws the next frame; what moves is half a second further. */
    fun draw(): Image {
        frame += TimeUnit.MILLISECONDS.toNanos(500)
        return scene.render(frame)
    }

    /** Draws until nothing moves any more, and keeps the picture where a place for it is given. */
    fun settle(picture: String? = null): Image {
        repeat(6) { draw() }
        val image = draw()
        val place = System.getProperty("vestibule.pictures").orEmpty()
        if (picture != null && place.isNotEmpty()) {
            File(place, "$picture.png").writeBytes(image.encodeToData(EncodedImageFormat.PNG)!!.bytes)
        }
        return image
    }

    /** Everything a screen reader would say, node by node, as it is laid out. */
    fun nodes(): List<SemanticsNode> = scene.semanticsOwners.flatMap { it.rootSemanticsNode.andBelow() }

    /** The same before texts that belong together are read as one. */
    fun parts(): List<SemanticsNode> = scene.semanticsOwners.flatMap { it.unmergedRootSemanticsNode.andBelow() }

    /** Draws until a text is there, and gives its node. */
    fun await(text: String): SemanticsNode = await("“$text”") { nodes -> nodes.firstOrNull { text in it.words() } }

    /** Draws until something is there. */
    fun <T : Any> await(what: String, find: (List<SemanticsNode>) -> T?): T {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(180)
        while (true) {
            draw()
            find(nodes())?.let { return it }
            check(System.nanoTime() < end) { "$what does not appear; there is: ${nodes().map { it.words() }}" }
            Thread.onSpinWait()
        }
    }

    /** Touches what has that text. */
    fun touch(text: String) {
        val touchable = await("a button “$text”") { nodes ->
            nodes.firstOrNull { it.says(text) && SemanticsActions.OnClick in it.config && it.isEnabled() }
        }
        touchable.config[SemanticsActions.OnClick].action!!()
        draw()
    }

    /** Types into the field with that label. */
    fun type(label: String, text: String) {
        val field = await("a field “$label”") { nodes ->
            nodes.firstOrNull { it.says(label) && SemanticsActions.SetText in it.config }
        }
        field.config[SemanticsActions.SetText].action!!(AnnotatedString(text))
        draw()
    }

    /** How many of the points within are ink: far from the colour that most of them have. */
    fun ink(image: Image, within: Rect): Int {
        val bitmap = Bitmap.makeFromImage(image)
        val points = mutableListOf<Int>()
        val seen = within.intersect(Rect(0f, 0f, image.width.toFloat(), image.height.toFloat()))
        for (y in seen.top.toInt()..<seen.bottom.toInt()) {
            for (x in seen.left.toInt()..<seen.right.toInt()) points += bitmap.getColor(x, y)
        }
        val ground = points.groupingBy { it }.eachCount().maxByOrNull { it.value }?.key ?: return 0
        return points.count { distance(it, ground) > 100 }
    }

    override fun close() = scene.close()

    private fun distance(a: Int, b: Int) = listOf(0, 8, 16).sumOf { abs((a shr it and 0xff) - (b shr it and 0xff)) }
}

private fun SemanticsNode.andBelow(): List<SemanticsNode> = listOf(this) + children.flatMap { it.andBelow() }

fun SemanticsNode.words(): String = listOfNotNull(
    config.getOrNull(SemanticsProperties.ContentDescription)?.joinToString(),
    config.getOrNull(SemanticsProperties.Text)?.joinToString { it.text },
    config.getOrNull(SemanticsProperties.EditableText)?.text,
    config.getOrNull(SemanticsProperties.StateDescription),
).joinToString()

private fun SemanticsNode.says(text: String) = words().let { it == text || text in it.split(", ") }

fun SemanticsNode.isEnabled(): Boolean = config.getOrNull(SemanticsProperties.Disabled) == null
