package org.vestibule

/** Where a text holds half of a character; none in text that has a UTF-8 form. */
internal fun String.firstLoneSurrogate(): Int? {
    var at = 0
    while (at < length) {
        val char = this[at]
        when {
            !char.isSurrogate() -> at += 1
            char.isHighSurrogate() && at + 1 < length && this[at + 1].isLowSurrogate() -> at += 2
            else -> return at
        }
    }
    return null
}

/** The text with every half of a character replaced by U+FFFD. */
internal fun String.wellFormed(): String {
    if (firstLoneSurrogate() == null) return this
    val text = StringBuilder(length)
    var rest = this
    while (true) {
        val at = rest.firstLoneSurrogate() ?: break
        text.append(rest, 0, at).append('\uFFFD')
        rest = rest.substring(at + 1)
    }
    return text.append(rest).toString()
}
