# Makes page_data.S and page_table.c in OUT: the page's files (and openapi.json) as bytes, with type, entity tag and gzip form.
#
#   cmake -DWEB=web/ [-DPAGE=folder of a page that is built already] -DOPENAPI=openapi.json -DOUT=folder -P page.cmake
#
# Without PAGE the page is built with npm into web/dist, where its sources are newer than what is there.
cmake_minimum_required(VERSION 3.22)

function(run)
	execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WEB} RESULT_VARIABLE rc OUTPUT_VARIABLE text ERROR_VARIABLE text)
	if(NOT rc EQUAL 0)
		string(JOIN " " command ${ARGN})
		message(FATAL_ERROR "${text}\n`${command}` in ${WEB} failed (${rc})")
	endif()
endfunction()

function(build_page)
	file(GLOB_RECURSE sources ${WEB}/src/* ${WEB}/public/*)
	list(APPEND sources ${WEB}/index.html ${WEB}/package.json ${WEB}/package-lock.json ${WEB}/vite.config.ts ${WEB}/fonts.vite.ts ${WEB}/world.vite.ts ${WEB}/svelte.config.js)
	set(stale FALSE)
	foreach(source ${sources})
		if(EXISTS ${source} AND ${source} IS_NEWER_THAN ${WEB}/dist/.weir-built)
			set(stale TRUE)
		endif()
	endforeach()
	if(NOT stale)
		return()
	endif()
	find_program(NPM npm)
	if(NOT NPM OR NOT EXISTS ${WEB}/package.json)
		if(EXISTS ${WEB}/dist/index.html)
			return()
		endif()
		message(FATAL_ERROR
			"There is no page in ${WEB}/dist: run `npm ci && npm run build` in ${WEB}, or configure with -DWEIR_PAGE_DIR=FOLDER "
			"where the folder holds a page that was built elsewhere.")
	endif()
	if(NOT EXISTS ${WEB}/node_modules/.weir-installed OR
			${WEB}/package-lock.json IS_NEWER_THAN ${WEB}/node_modules/.weir-installed)
		run(${NPM} ci --no-audit --no-fund)
		file(TOUCH ${WEB}/node_modules/.weir-installed)
	endif()
	run(${NPM} run build)
	file(TOUCH ${WEB}/dist/.weir-built)
endfunction()

if(PAGE)
	if(NOT EXISTS ${PAGE}/index.html)
		message(FATAL_ERROR "There is no index.html in ${PAGE} (WEIR_PAGE_DIR).")
	endif()
else()
	file(LOCK ${WEB}/node_modules.lock TIMEOUT 900) # several build folders may want it at once
	build_page()
	set(PAGE ${WEB}/dist)
endif()

# The copy is what the assembler reads: the next build of the page cannot change it meanwhile.
file(REMOVE_RECURSE ${OUT}/page)
file(MAKE_DIRECTORY ${OUT}/page)
file(COPY ${PAGE}/ DESTINATION ${OUT}/page PATTERN .weir-built EXCLUDE)
file(COPY ${OPENAPI} DESTINATION ${OUT})
if(NOT DEFINED CMAKE_SCRIPT_MODE_FILE)
	message(FATAL_ERROR "run with cmake -P")
endif()
if(EXISTS ${WEB}/node_modules.lock)
	file(LOCK ${WEB}/node_modules.lock RELEASE RESULT_VARIABLE ignored)
endif()

set(type_html "text/html\\; charset=utf-8")
set(type_js "text/javascript\\; charset=utf-8")
set(type_css "text/css\\; charset=utf-8")
set(type_json "application/json")
set(type_txt "text/plain\\; charset=utf-8")
set(type_svg "image/svg+xml")
set(type_webmanifest "application/manifest+json")
set(type_png "image/png")
set(type_ico "image/x-icon")
set(type_woff2 "font/woff2")

find_program(GZIP gzip REQUIRED)
set(n 0)
set(table "")
set(externs "")
set(data "")

# Appends one file to data, and sets row to its line of the table.
macro(embed file path)
	get_filename_component(extension ${file} LAST_EXT)
	string(SUBSTRING "${extension}" 1 -1 extension)
	if(NOT DEFINED type_${extension})
		message(FATAL_ERROR "${file}: no media type is known for .${extension} (httpd/page.cmake)")
	endif()
	string(REPLACE "\\;" ";" type "${type_${extension}}")
	file(SHA256 ${file} hash)
	string(SUBSTRING ${hash} 0 32 hash)
	string(APPEND data "OBJECT(weir_page_${n}, \"${file}\")\n")
	string(APPEND externs "extern const unsigned char weir_page_${n}[], weir_page_${n}_end[];\n")
	set(zip "weir_page_${n}, weir_page_${n}")
	if(NOT extension MATCHES "^(png|ico|woff2)$")
		execute_process(COMMAND ${GZIP} -9nc ${file} OUTPUT_FILE ${file}.gz RESULT_VARIABLE rc)
		file(SIZE ${file} plain)
		file(SIZE ${file}.gz zipped)
		if(rc EQUAL 0 AND zipped LESS plain)
			string(APPEND data "OBJECT(weir_page_${n}_gz, \"${file}.gz\")\n")
			string(APPEND externs "extern const unsigned char weir_page_${n}_gz[], weir_page_${n}_gz_end[];\n")
			set(zip "weir_page_${n}_gz, weir_page_${n}_gz_end")
		endif()
	endif()
	set(immutable false)
	if("${path}" MATCHES "^/assets/.*-[A-Za-z0-9_-]+\\.[a-z0-9]+$")
		set(immutable true)
	endif()
	set(row "{ \"${path}\", \"${type}\", \"\\\"${hash}\\\"\", ${immutable}, weir_page_${n}, weir_page_${n}_end, ${zip} }")
	math(EXPR n "${n} + 1")
endmacro()

file(GLOB_RECURSE files RELATIVE ${OUT}/page ${OUT}/page/*)
list(SORT files)
foreach(file ${files})
	if(NOT file MATCHES "^[A-Za-z0-9._/-]+$")
		message(FATAL_ERROR "${file}: a name of the page's files has letters, digits and ._- only")
	endif()
	embed(${OUT}/page/${file} /${file})
	string(APPEND table "\t${row},\n")
endforeach()
get_filename_component(name ${OPENAPI} NAME)
embed(${OUT}/${name} /api/v1/openapi.json)

file(WRITE ${OUT}/page_data.S
"/* Made by httpd/page.cmake. */
#if defined(__CET__) && __has_include(<cet.h>)
#include <cet.h>
#endif
#define OBJECT(name, file) .balign 16; .globl name; .hidden name; .type name, %object; name: .incbin file; \\
	.globl name##_end; .hidden name##_end; .type name##_end, %object; name##_end: .byte 0
	.section .rodata
${data}
	.section .note.GNU-stack, \"\", %progbits
")
file(WRITE ${OUT}/page_table.c
"/* Made by httpd/page.cmake. */
#include \"page.h\"

${externs}
const struct page_file page_files[] = {
${table}};
const size_t page_nfiles = sizeof(page_files) / sizeof(page_files[0]);
const struct page_file page_openapi = ${row};
")
