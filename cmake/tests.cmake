# SPDX-License-Identifier: Apache-2.0
# Tests run by CTest: Criterion suites, plain programs, fuzzers.

enable_testing()

# viaduct_test(NAME SOURCES file... [NEEDS module...] [LIBS ext::lib...] LABELS label...
#              [ENVIRONMENT name=value...] [TIMEOUT seconds] [LOCK name] [ONE_BY_ONE] [PLAIN])
# Labels say where it runs: tools/dev/test.sh has the table.
#   unit         touches nothing outside its process
#   integration  wants real servers; e2e: the whole product, through HTTP
#   slow         minutes, or measures: not repeated under sanitizers
#   tsan         also under the thread sanitizer
# Tests run side by side: those with the same LOCK do not. ONE_BY_ONE: nor do its own cases.
# PLAIN: the sources have their own main and do not use Criterion, whose runner crashes under
# the thread sanitizer; tests labelled tsan are plain.
function(viaduct_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "PLAIN;ONE_BY_ONE" "TIMEOUT;LOCK" "SOURCES;NEEDS;LIBS;LABELS;ENVIRONMENT")
    viaduct_no_unknown(${name} "${arg_UNPARSED_ARGUMENTS}")
    if(NOT arg_LABELS)
        message(FATAL_ERROR "${name}: a test needs LABELS unit, integration, e2e or tsan")
    endif()
    foreach(label IN LISTS arg_LABELS) # a misspelt option behind LABELS would be one
        if(NOT label MATCHES "^(unit|integration|e2e|slow|tsan)$")
            message(FATAL_ERROR "${name}: there is no label '${label}'")
        endif()
    endforeach()
    if(NOT VIADUCT_TESTS OR (VIADUCT_SANITIZE STREQUAL "thread" AND NOT "tsan" IN_LIST arg_LABELS))
        return()
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
        if("integration" IN_LIST arg_LABELS)
            set(arg_TIMEOUT 180)
        elseif("e2e" IN_LIST arg_LABELS)
            set(arg_TIMEOUT 600)
        endif()
    endif()

    set(never "SUMMARY: [A-Za-z]+Sanitizer" "runtime error: ")
    set(command ${name})
    if(NOT arg_PLAIN)
        list(APPEND arg_LIBS ext::criterion)
        list(APPEND never "Tested: 0 ") # Criterion succeeds when it ran nothing
        set(jobs 2)
        if(arg_ONE_BY_ONE)
            set(jobs 1)
        endif()
        list(APPEND command --color=never --jobs=${jobs} --timeout=${arg_TIMEOUT})
    endif()

    viaduct_executable(${name})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND ${command} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES
        LABELS "${arg_LABELS}"
        TIMEOUT ${arg_TIMEOUT}
        RESOURCE_LOCK "${arg_LOCK}"
        FAIL_REGULAR_EXPRESSION "${never}"
        ENVIRONMENT "${VIADUCT_TEST_ENVIRONMENT};${arg_ENVIRONMENT}")
endfunction()

# Programs under test are found in VIADUCT_BIN, files of the repository in VIADUCT_SOURCE.
set(VIADUCT_TEST_ENVIRONMENT
    VIADUCT_BIN=${CMAKE_BINARY_DIR}/bin
    VIADUCT_SOURCE=${CMAKE_SOURCE_DIR}
    ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    UBSAN_OPTIONS=print_stacktrace=1
    TSAN_OPTIONS=halt_on_error=1)

# viaduct_fuzzer(NAME SOURCES file... [NEEDS module...] [LIBS ext::lib...])
# A libFuzzer program, in preset fuzz only.
function(viaduct_fuzzer name)
    if(NOT VIADUCT_FUZZ)
        return()
    endif()
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;NEEDS;LIBS")
    viaduct_no_unknown(${name} "${arg_UNPARSED_ARGUMENTS}")
    viaduct_executable(${name})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
