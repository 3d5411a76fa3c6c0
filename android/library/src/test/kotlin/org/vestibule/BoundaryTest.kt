package org.vestibule

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.lang.reflect.Modifier

/** The seam between the public API and the generated code. */
class BoundaryTest {
    /** Enums are mapped by name: both sides have to know the same. */
    @Test
    fun `every name is known on both sides`() {
        val pairs = listOf(
            Field.entries to org.vestibule.generated.Field.entries,
            Status.entries to org.vestibule.generated.Status.entries,
            Tab.entries to org.vestibule.generated.Tab.entries,
            Role.entries to org.vestibule.generated.Role.entries,
            CredentialState.entries to org.vestibule.generated.CredentialState.entries,
            OperationKind.entries to org.vestibule.generated.OperationKind.entries,
            OperationState.entries to org.vestibule.generated.OperationState.entries,
            Choice.entries to org.vestibule.generated.Choice.entries,
            Told.entries to org.vestibule.generated.Told.entries,
            PassPlace.entries to org.vestibule.generated.PassPlace.entries,
            LogLevel.entries to org.vestibule.generated.LogLevel.entries,
        )
        for ((ours, generated) in pairs) assertEquals(generated.map { it.name }, ours.map { it.name })
    }

    /** What an app can call names nothing of the generated package. */
    @Test
    fun `generated types do not leak`() {
        val root = File(HostClient::class.java.protectionDomain.codeSource.location.toURI())
        val classes = root.walk().filter { it.extension == "class" }
            .map { it.relativeTo(root).path.removeSuffix(".class").replace('/', '.') }
            .filter { it.startsWith("org.vestibule.") && !it.startsWith("org.vestibule.generated") }
            .map { Class.forName(it, false, javaClass.classLoader) }
            .toList()
        assertTrue(classes.size > 50, "$classes")
        // Kotlin's `internal` is public to Java, with the module's name behind a `$`; files of functions end with `Kt`.
        val visible = classes.filter { Modifier.isPublic(it.modifiers) }
            .filterNot { it.name.endsWith("Kt") || it.simpleName in INTERNAL }
        val leaks = visible.flatMap { type ->
            val methods = type.declaredMethods.filter { Modifier.isPublic(it.modifiers) && '$' !in it.name }
            methods.filter { method ->
                (method.parameterTypes + method.returnType).any { it.name.startsWith("org.vestibule.generated") }
            }
        }
        assertEquals(emptyList<Any>(), leaks)
    }

    @Test
    fun `the library says its version and what it does`() {
        assertTrue(Regex("\\d+\\.\\d+\\.\\d+").matches(Vestibule.version))
        Vestibule.logTo { error("a sink that throws") }
        Vestibule.logTo(null)
    }

    private companion object {
        /** Kotlin's `internal` classes. */
        val INTERNAL = setOf("Lifetime", "ListListener")
    }
}
