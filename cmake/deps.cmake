# SPDX-License-Identifier: Apache-2.0
# Libraries from outside, each under one name: ext::NAME. They come from Debian 13.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(nng 1.10 REQUIRED)      # ships no .pc file
find_package(msgpack-c 6 REQUIRED)   # its .pc file names an include path that does not exist

# viaduct_ext(NAME PC-MODULE...): ext::NAME from pkg-config modules.
function(viaduct_ext name)
    pkg_check_modules(EXT_${name} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${ARGN})
    add_library(ext::${name} ALIAS PkgConfig::EXT_${name})
endfunction()

add_library(ext::threads ALIAS Threads::Threads)
add_library(ext::nng ALIAS nng::nng)
add_library(ext::msgpack ALIAS msgpack-c)
viaduct_ext(event libevent_core>=2.1.12 libevent_extra libevent_openssl libevent_pthreads)
viaduct_ext(ssl openssl>=3.5)
viaduct_ext(pq libpq>=17)
viaduct_ext(hiredis hiredis>=1.2)
viaduct_ext(rdkafka rdkafka>=2.8)
viaduct_ext(yyjson yyjson>=0.10)
viaduct_ext(z zlib)
viaduct_ext(sodium libsodium)
viaduct_ext(curl libcurl>=8.14)
if(VIADUCT_TESTS)
    viaduct_ext(criterion criterion>=2.4)
endif()
