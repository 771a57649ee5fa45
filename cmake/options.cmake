# SPDX-License-Identifier: Apache-2.0
# How everything is compiled: language, warnings, sanitizers, hardening.

option(VIADUCT_WERROR "Treat warnings as errors" OFF)
option(VIADUCT_TESTS "Build the tests" ON)
option(VIADUCT_FUZZ "Build the fuzzers (clang only)" OFF)
set(VIADUCT_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# asserts stay in release builds: a broken invariant must stop a process, not corrupt its data
set(CMAKE_C_FLAGS_DEBUG "-Og -g3")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_definitions(_GNU_SOURCE VIADUCT_VERSION="${PROJECT_VERSION}")
add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wformat=2 -Wvla -Wundef -Wcast-qual -Wimplicit-fallthrough
    -fno-strict-aliasing -fno-common
    -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=
    $<$<C_COMPILER_ID:Clang>:-Wno-gnu> # GNU extensions are welcome where they make code clearer
    $<$<BOOL:${VIADUCT_WERROR}>:-Werror>)

if(VIADUCT_SANITIZE)
    add_compile_options(-fsanitize=${VIADUCT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${VIADUCT_SANITIZE})
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    include(CheckPIESupported)
    check_pie_supported(LANGUAGES C)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    add_compile_options(
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
        -ftrivial-auto-var-init=zero)
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
        add_compile_options(-fcf-protection=full)
    endif()
    add_link_options(-Wl,-z,relro,-z,now)
endif()
