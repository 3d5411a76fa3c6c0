package org.vestibule

import org.vestibule.generated.setLogSink
import org.vestibule.generated.version
import org.vestibule.generated.LogRecord as RustRecord
import org.vestibule.generated.LogSink as RustSink

/** The library itself. */
public object Vestibule {
    /** The version of the Rust library, as `0.1.0`. */
    public val version: String get() = version()

    /**
     * Sends what the library has to say to [sink] from now on, in place of the one before; none sends it nowhere. It is
     * called on a thread of its own, one record at a time, and what it throws is not heard. No record holds personal
     * data.
     */
    public fun logTo(sink: ((LogRecord) -> Unit)?): Unit = setLogSink(sink?.let(::Sink))

    private class Sink(private val told: (LogRecord) -> Unit) : RustSink {
        override fun log(record: RustRecord) = unheard { told(record.toPublic()) }
    }
}

/**
 * One record.
 *
 * @property level how much it matters.
 * @property target the part of the library it comes from.
 * @property message what happened, in plain English, with values behind it as `name=value`.
 */
public data class LogRecord(val level: LogLevel, val target: String, val message: String)

/** How much a record matters. */
public enum class LogLevel {
    /** Something failed. */
    ERROR,

    /** Something is not as it should be. */
    WARN,

    /** What happens, in a few words. */
    INFO,

    /** For those who look for a mistake. */
    DEBUG,
}
