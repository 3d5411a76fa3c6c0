package org.vestibule

/** Where a text holds half of a character; none in text that has a UTF-8 form. */
internal fun String.firstLoneSurrogate(): Int? {
    var at = 0
    while (at < length) at += charsOfCharacterAt(at) ?: return at
    return null
}

/** The text with every half of a character replaced by U+FFFD. */
internal fun String.wellFormed(): String {
    if (firstLoneSurrogate() == null) return this
    val text = StringBuilder(length)
    var at = 0
    while (at < length) {
        val chars = charsOfCharacterAt(at)
        if (chars == null) text.append('\uFFFD') else text.append(this, at, at + chars)
        at += chars ?: 1
    }
    return text.toString()
}

/** How many chars the character there has: one, or two for a pair of surrogates; none for half of a pair. */
private fun String.charsOfCharacterAt(at: Int): Int? {
    val char = this[at]
    return when {
        !char.isSurrogate() -> 1
        char.isHighSurrogate() && at + 1 < length && this[at + 1].isLowSurrogate() -> 2
        else -> null
    }
}
