# How a room of the house becomes targets.
#
#   weir_library(base SOURCES a.c b.c LIBS ...)        libweir_base; exports its folder
#   weir_process(engine SOURCES ... LIBS ... )         engine_core (all but main.c) + weir-engine
#   weir_unit_test(cursor SOURCES tests/unit/x.c LIBS ...)   cmocka under ctest
#   weir_fuzz(decode SOURCES tests/fuzz/x.c LIBS ...)  libFuzzer target, or a corpus replay under ctest

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(_weir_common target)
	target_link_libraries(${target} PRIVATE weir_warnings weir_hardening weir_flavour)
endfunction()

# Programs are optimised as a whole when they are linked, which is slow: tests are linked from the same objects as they are.
function(_weir_plain_link target)
	if(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
		set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
		target_link_options(${target} PRIVATE -fno-lto)
	endif()
endfunction()

function(weir_library name)
	cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
	add_library(weir_${name} STATIC ${A_SOURCES})
	_weir_common(weir_${name})
	# Included as "name/header.h": the folder above is the path, and lint holds who may include whom.
	target_include_directories(weir_${name} PUBLIC ${CMAKE_BINARY_DIR}/export/${name})
	file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/export/${name})
	file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_BINARY_DIR}/export/${name}/${name} SYMBOLIC)
	target_link_libraries(weir_${name} PUBLIC ${A_LIBS})
endfunction()

# PROGRAM names the executable where it is not weir-NAME (cli makes `weir`).
function(weir_process name)
	cmake_parse_arguments(A "" "PROGRAM" "SOURCES;LIBS" ${ARGN})
	set(destination ${CMAKE_INSTALL_BINDIR})
	if(NOT A_PROGRAM)
		set(A_PROGRAM weir-${name})
		set(destination libexec/weir) # they are the launcher's, and nobody's command
	endif()
	add_library(${name}_core STATIC ${A_SOURCES})
	_weir_common(${name}_core)
	target_include_directories(${name}_core PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(${name}_core PUBLIC ${A_LIBS})
	add_executable(${A_PROGRAM} main.c)
	_weir_common(${A_PROGRAM})
	target_include_directories(${A_PROGRAM} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(${A_PROGRAM} PRIVATE ${name}_core)
	install(TARGETS ${A_PROGRAM} RUNTIME DESTINATION ${destination} COMPONENT weir)
endfunction()

# A test may see a process's own headers: ROOMS names the folders it looks into.
function(weir_unit_test name)
	cmake_parse_arguments(A "" "" "SOURCES;LIBS;ROOMS" ${ARGN})
	pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
	add_executable(test_${name} ${A_SOURCES})
	_weir_common(test_${name})
	_weir_plain_link(test_${name})
	foreach(room ${A_ROOMS})
		target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/${room})
	endforeach()
	target_link_libraries(test_${name} PRIVATE ${A_LIBS} PkgConfig::CMOCKA)
	set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	add_test(NAME ${name} COMMAND test_${name})
	set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# The same target is a fuzzer with -DWEIR_FUZZ=ON and otherwise a program that replays
# tests/fuzz/corpus/NAME/ (old crashes included) and CORPUS under ctest. MEMORY_FILES: the fuzzer
# has them in the process (tests/fuzz/memory_files.c), the replay has the kernel's.
set(_weir_memory_calls memfd_create close dup fcntl fstat ftruncate mmap munmap pread pwrite write)
function(weir_fuzz name)
	cmake_parse_arguments(A "MEMORY_FILES" "" "SOURCES;LIBS;ROOMS" ${ARGN})
	add_executable(fuzz_${name} ${A_SOURCES})
	_weir_common(fuzz_${name})
	_weir_plain_link(fuzz_${name})
	foreach(room ${A_ROOMS})
		target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/${room})
	endforeach()
	target_link_libraries(fuzz_${name} PRIVATE ${A_LIBS})
	set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
	if(WEIR_FUZZ)
		target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
		if(A_MEMORY_FILES)
			target_sources(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/memory_files.c)
			list(TRANSFORM _weir_memory_calls PREPEND "-Wl,--wrap=" OUTPUT_VARIABLE wraps)
			target_link_options(fuzz_${name} PRIVATE ${wraps})
		endif()
	else()
		target_sources(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
		add_test(NAME replay_${name} COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
		set_tests_properties(replay_${name} PROPERTIES TIMEOUT 300)
	endif()
endfunction()
