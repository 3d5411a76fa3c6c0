package org.vestibule

import org.vestibule.generated.Passes as RustPasses

/** Previews of what the visitor gets: made on the phone, with nothing to be let in by. */
public class Passes internal constructor(private val rust: RustPasses, private val lifetime: Lifetime) {
    /**
     * The visitor's pass as it will look, without its code (S1.32).
     *
     * @throws VestibuleException.Refused with `no_wallet` where the organisation has no passes, and `no_site` where
     * this phone does not know the visit's site.
     */
    public suspend fun preview(id: VisitId): PassPreview = lifetime.call { rust.preview(id.value).toPublic() }

    /**
     * How the visitor's QR code will look. It says that it is a preview: the real code is in the visitor's own mail,
     * page and pass alone (S1.31).
     */
    public suspend fun qrPreview(): QrMatrix = lifetime.call { rust.qrPreview().toPublic() }

    internal fun destroy(): Unit = rust.destroy()
}

/**
 * The visitor's pass, without its code.
 *
 * @property title the organisation's name, at the top.
 * @property description what the pass is, for screen readers.
 * @property name the visitor's name as typed.
 * @property fields in their order, front before back.
 * @property voided whether the pass would show as ended.
 * @property background the colour behind everything, as `#rrggbb`.
 * @property foreground the colour of values, as `#rrggbb`.
 * @property labelColour the colour of labels, as `#rrggbb`.
 * @property json Apple's `pass.json` as it will be, unsigned and without a code.
 */
public data class PassPreview(
    val title: String,
    val description: String,
    val name: String,
    val fields: List<PassField>,
    val voided: Boolean,
    val background: String,
    val foreground: String,
    val labelColour: String,
    val json: String,
)

/**
 * A field of a pass.
 *
 * @property key its name within the pass.
 * @property place where it stands.
 * @property label the words above the value.
 * @property value what is shown.
 */
public data class PassField(val key: String, val place: PassPlace, val label: String, val value: String)

/** Where a field stands on a pass. */
public enum class PassPlace {
    /** At the top right. */
    HEADER,

    /** Large. */
    PRIMARY,

    /** Below. */
    SECONDARY,

    /** Below that. */
    AUXILIARY,

    /** On the back. */
    BACK,
}

/**
 * The modules of a QR code, without the quiet zone of four light modules that belongs around it.
 *
 * @property size modules per side, 21 to 177.
 */
public class QrMatrix internal constructor(public val size: Int, private val modules: ByteArray) {
    /** Whether a module is dark. Rows and columns count from the top left. */
    public fun isDark(row: Int, column: Int): Boolean {
        val isInside = row in 0..<size && column in 0..<size
        if (!isInside) throw VestibuleException.BadArgument("row, column", "is outside the code")
        return modules[row * size + column].toInt() == 1
    }
}
