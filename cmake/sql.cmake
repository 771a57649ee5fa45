# SPDX-License-Identifier: Apache-2.0
# SQL lives in .sql files and is embedded when building.

# viaduct_sql(MODULE): embeds sql/*.sql of a store's folder, one named statement each.
# sql/user_by_id.sql becomes `extern const struct pg_stmt sql_user_by_id` in "sql.h", which only
# the module itself can include. A first line `-- write` sets .writes.
function(viaduct_sql module)
    file(GLOB files CONFIGURE_DEPENDS sql/*.sql)
    viaduct_embed(statements "" sql ${files})
    target_sources(${module} PRIVATE ${out_files})
    target_include_directories(${module} PRIVATE ${out_dir})
endfunction()

# viaduct_migrations(MODULE): embeds services/<name>/migrations/NNNN_what.sql, in order, as
# `const struct pg_migration <name>_migrations[]`, declared in "<name>/migrations.h" for all who
# need the module. Called in the folder with migrations/ or in one beside it (store/).
function(viaduct_migrations module)
    set(folder ${CMAKE_CURRENT_SOURCE_DIR})
    if(NOT IS_DIRECTORY ${folder}/migrations)
        cmake_path(GET folder PARENT_PATH folder)
    endif()
    cmake_path(GET folder FILENAME service)
    file(GLOB files CONFIGURE_DEPENDS ${folder}/migrations/*.sql)
    if(NOT files)
        message(FATAL_ERROR "${module}: no migrations in ${folder}/migrations")
    endif()
    viaduct_embed(migrations ${service} ${service}/migrations ${files})
    target_sources(${module} PRIVATE ${out_files})
    target_include_directories(${module} PUBLIC ${out_dir})
endfunction()

# Runs tools/embed-sql when one of the files changes; sets out_dir and out_files.
macro(viaduct_embed kind service name)
    set(out_dir ${CMAKE_CURRENT_BINARY_DIR}/${kind})
    set(out_files ${out_dir}/${name}.c ${out_dir}/${name}.h)
    add_custom_command(
        OUTPUT ${out_files}
        COMMAND ${CMAKE_SOURCE_DIR}/tools/embed-sql ${kind} "${service}" ${out_dir}/${name} ${ARGN}
        DEPENDS ${CMAKE_SOURCE_DIR}/tools/embed-sql ${ARGN}
        COMMENT "Embedding ${kind} of ${module}"
        VERBATIM)
endmacro()
