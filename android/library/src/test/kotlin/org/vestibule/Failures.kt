package org.vestibule

import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail

/** Runs what has to fail, and gives how. A message is always a sentence for a person. */
suspend inline fun <reified E : VestibuleException> failure(work: suspend () -> Any?): E {
    val given = try {
        work()
    } catch (error: VestibuleException) {
        if (error !is E) throw AssertionError("expected ${E::class.simpleName}", error)
        assertTrue(Regex("(?s)\\S.*[.!]").matches(error.message.orEmpty()), "${error.message}")
        return error
    }
    return fail("expected ${E::class.simpleName}, and there was no error: $given")
}
