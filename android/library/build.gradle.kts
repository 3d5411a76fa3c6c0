plugins {
    alias(libs.plugins.android.library)
}

android {
    namespace = "org.vestibule"
    compileSdk = 37
    defaultConfig {
        minSdk = 26
        consumerProguardFiles("src/main/resources/META-INF/proguard/vestibule.pro")
    }
    sourceSets["main"].kotlin.directories += "src/main/generated"
    // libvestibule_ffi.so, for every ABI, stands in src/main/jniLibs.
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    api(libs.coroutines.core)
    implementation(libs.coroutines.android)
    // The AAR holds JNA's own libraries for Android.
    implementation(variantOf(libs.jna) { artifactType("aar") })
}
