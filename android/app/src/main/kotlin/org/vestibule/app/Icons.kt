package org.vestibule.app

import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.SolidColor
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.graphics.StrokeJoin
import androidx.compose.ui.graphics.vector.ImageVector
import androidx.compose.ui.graphics.vector.addPathNodes
import androidx.compose.ui.unit.dp

/** Drawn for these screens, in one weight, on a grid of 24. */
internal object Icons {
    val Arch = icon("M4.5 21V11.5a7.5 7.5 0 0 1 15 0V21M8.5 21v-9.2a3.5 3.5 0 0 1 7 0V21M12 21v-6.5")
    val Search = icon("M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.3 15.3L20 20")
    val Sync = icon("M4 11.5a8 8 0 0 1 14.2-4.4L20 9M20 4.5V9h-4.5M20 12.5a8 8 0 0 1-14.2 4.4L4 15M4 19.5V15h4.5")
    val Invite = icon(
            "M9.5 4.5a3.6 3.6 0 1 0 0 7.2a3.6 3.6 0 1 0 0-7.2M3 19.5c.6-3.2 3-5 6.5-5s5.9 1.8 6.5 5" +
                "M18.5 7.5v6M15.5 10.5h6",
        )
    val Person = icon("M12 4.2a3.8 3.8 0 1 0 0 7.6a3.8 3.8 0 1 0 0-7.6M5 20c.7-3.5 3.2-5.3 7-5.3s6.3 1.8 7 5.3")
    val Clock = icon("M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17M12 7.5V12l3 2")
    val Hourglass = icon(
            "M7 3.5h10M7 20.5h10M8 3.5v3.2c0 2.6 4 3.7 4 5.3s-4 2.7-4 5.3v3.2" +
                "M16 3.5v3.2c0 2.6-4 3.7-4 5.3s4 2.7 4 5.3v3.2",
        )
    val Check = icon("M4.5 12.5l5 5L19.5 7")
    val Outbox = icon("M12 15V4M7.5 8.5L12 4l4.5 4.5M4 14.5v4a1.5 1.5 0 0 0 1.5 1.5h13a1.5 1.5 0 0 0 1.5-1.5v-4")
    val Cross = icon("M6 6l12 12M18 6L6 18")
    val Warning = icon("M12 4L2.8 19.5h18.4L12 4M12 10v4.5M12 17v.1")
    val Building = icon(
            "M5 20.5V5a1.5 1.5 0 0 1 1.5-1.5h7A1.5 1.5 0 0 1 15 5v15.5" +
                "M15 9h2.5A1.5 1.5 0 0 1 19 10.5v10M3 20.5h18M8.5 7.5h3M8.5 11.5h3M8.5 15.5h3",
        )
    val Exit = icon("M10 4H6.5A1.5 1.5 0 0 0 5 5.5v13A1.5 1.5 0 0 0 6.5 20H10M14.5 8l4 4-4 4M18.5 12H10")
    val Door = icon("M6 20.5V5a1.5 1.5 0 0 1 1.5-1.5h9A1.5 1.5 0 0 1 18 5v15.5M3.5 20.5h17M14.5 12v.6")
    val Calendar = icon(
            "M5.5 5.5h13A1.5 1.5 0 0 1 20 7v11.5a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 18.5V7" +
                "a1.5 1.5 0 0 1 1.5-1.5M4 10h16M8 3v4M16 3v4",
        )
    val Lock = icon(
            "M6.5 10.5h11A1.5 1.5 0 0 1 19 12v7a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 19v-7" +
                "a1.5 1.5 0 0 1 1.5-1.5M8 10.5V7.5a4 4 0 0 1 8 0v3",
        )
    val Down = icon("M6 9.5l6 6 6-6")
    val Offline = icon("M4 4l16 16M6.7 9.5A5.3 5.3 0 0 0 7.5 19H17M10 6.2a5.5 5.5 0 0 1 7.5 4.8a4 4 0 0 1 2.4 6.3")

    private fun icon(path: String): ImageVector =
        ImageVector.Builder(defaultWidth = 24.dp, defaultHeight = 24.dp, viewportWidth = 24f, viewportHeight = 24f)
            .addPath(
                addPathNodes(path),
                stroke = SolidColor(Color.Black),
                strokeLineWidth = 1.9f,
                strokeLineCap = StrokeCap.Round,
                strokeLineJoin = StrokeJoin.Round,
            )
            .build()
}
