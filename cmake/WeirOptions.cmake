# Language level, warnings and the build flavours that the presets choose.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

set(WEIR_SANITIZE "" CACHE STRING "empty, address or thread: sanitizers of this build")
option(WEIR_FUZZ "build the fuzz targets against libFuzzer (clang)" OFF)
option(WEIR_COVERAGE "instrument for line coverage" OFF)

add_compile_definitions(_GNU_SOURCE)

# What our own code is held to; generated code (the page) is data and has none.
add_library(weir_warnings INTERFACE)
target_compile_options(weir_warnings INTERFACE
	$<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
	-Wmissing-prototypes -Wvla -Wformat=2 -Werror>)

add_library(weir_flavour INTERFACE)
if(WEIR_SANITIZE STREQUAL "address")
	target_compile_options(weir_flavour INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(weir_flavour INTERFACE -fsanitize=address,undefined)
elseif(WEIR_SANITIZE STREQUAL "thread")
	target_compile_options(weir_flavour INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
	target_link_options(weir_flavour INTERFACE -fsanitize=thread)
elseif(WEIR_SANITIZE)
	message(FATAL_ERROR "WEIR_SANITIZE=${WEIR_SANITIZE}: address or thread")
endif()
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
	target_compile_options(weir_flavour INTERFACE -ffat-lto-objects) # for what is linked without it
endif()
if(WEIR_FUZZ)
	target_compile_options(weir_flavour INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(weir_flavour INTERFACE -fsanitize=address,undefined)
endif()
if(WEIR_COVERAGE)
	target_compile_options(weir_flavour INTERFACE --coverage)
	target_link_options(weir_flavour INTERFACE --coverage)
endif()
