# SPDX-License-Identifier: Apache-2.0
# Modules and programs, with layers as walls.
#
# A module is one folder. Its headers are included by the folder's path, `services/` left out:
# "kit/base/err.h", "proto/users.h", "users/rules/password.h". A target sees the headers of the
# modules it NEEDS (and what those need), because each module has its own include directory
# ("view") that holds one symbolic link to the folder; the repository itself is on no include path.

# viaduct_folders(FOLDER...): adds every folder below with a CMakeLists.txt. A folder inside one
# that was added is left to that one, which calls viaduct_folders() for what is below it.
function(viaduct_folders)
    if(NOT ARGN)
        set(ARGN .)
    endif()
    set(added "")
    foreach(folder IN LISTS ARGN)
        file(GLOB_RECURSE lists CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
        list(SORT lists) # a folder's own list comes before those below it
        foreach(list IN LISTS lists)
            cmake_path(NORMAL_PATH list)
            cmake_path(GET list PARENT_PATH dir)
            viaduct_is_below(below ${dir} "${added}")
            if(NOT below AND NOT dir STREQUAL CMAKE_CURRENT_SOURCE_DIR)
                add_subdirectory(${dir})
                list(APPEND added ${dir})
            endif()
        endforeach()
    endforeach()
endfunction()

function(viaduct_is_below result dir folders)
    set(${result} FALSE PARENT_SCOPE)
    foreach(folder IN LISTS folders)
        cmake_path(IS_PREFIX folder ${dir} below)
        if(below)
            set(${result} TRUE PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

# viaduct_view(RESULT NAME): the include directory that shows the current folder and no other.
function(viaduct_view result name)
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
    string(REGEX REPLACE "^services/" "" path ${path})
    set(link ${CMAKE_BINARY_DIR}/view/${name}/${path})
    cmake_path(GET link PARENT_PATH parent)
    file(MAKE_DIRECTORY ${parent})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${link} SYMBOLIC)
    set(${result} ${CMAKE_BINARY_DIR}/view/${name} PARENT_SCOPE)
endfunction()

# viaduct_module(NAME [NEEDS module...] [HIDES module...] [LIBS ext::lib...])
# A static library of the folder's *.c files (main.c left out); header-only without any.
# Who needs the module also sees what it NEEDS, but not what it HIDES.
function(viaduct_module name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "NEEDS;HIDES;LIBS")
    viaduct_no_unknown(${name} "${arg_UNPARSED_ARGUMENTS}")
    file(GLOB sources CONFIGURE_DEPENDS *.c)
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    file(GLOB sql CONFIGURE_DEPENDS sql/*.sql)

    viaduct_view(view ${name})
    if(sources OR sql)
        add_library(${name} STATIC ${sources})
        target_include_directories(${name} PUBLIC ${view})
        target_link_libraries(${name} PUBLIC ${arg_NEEDS} PRIVATE ${arg_HIDES} ${arg_LIBS})
    else()
        add_library(${name} INTERFACE)
        target_include_directories(${name} INTERFACE ${view})
        target_link_libraries(${name} INTERFACE ${arg_NEEDS})
    endif()
    if(CMAKE_CURRENT_SOURCE_DIR MATCHES "^${CMAKE_SOURCE_DIR}/tests/")
        set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON) # built when a test needs it
    endif()
    viaduct_note_needs(${name} ${arg_NEEDS} ${arg_HIDES})
endfunction()

# viaduct_program(NAME SOURCES file... [NEEDS module...] [LIBS ext::lib...])
# An executable in build/<preset>/bin.
function(viaduct_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;NEEDS;LIBS")
    viaduct_no_unknown(${name} "${arg_UNPARSED_ARGUMENTS}")
    viaduct_executable(${name})
endfunction()

# The common part of programs, tests and fuzzers; reads arg_SOURCES, arg_NEEDS, arg_LIBS.
macro(viaduct_executable name)
    viaduct_view(view ${name})
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE ${view})
    target_link_libraries(${name} PRIVATE ${arg_NEEDS} ${arg_LIBS})
    viaduct_note_needs(${name} ${arg_NEEDS})
endmacro()

function(viaduct_no_unknown name unknown)
    if(unknown)
        message(FATAL_ERROR "${name}: what is '${unknown}'?")
    endif()
endfunction()

# Modules may be named before they are defined, so names are checked at the end.
function(viaduct_note_needs name)
    foreach(need IN LISTS ARGN)
        set_property(GLOBAL APPEND PROPERTY VIADUCT_NEEDS "${name}:${need}")
    endforeach()
endfunction()

function(viaduct_check_needs)
    get_property(needs GLOBAL PROPERTY VIADUCT_NEEDS)
    foreach(pair IN LISTS needs)
        string(REPLACE ":" ";" pair ${pair})
        list(GET pair 0 name)
        list(GET pair 1 need)
        if(NOT TARGET ${need})
            message(SEND_ERROR "${name} needs the module ${need}, which does not exist")
        endif()
    endforeach()
endfunction()
