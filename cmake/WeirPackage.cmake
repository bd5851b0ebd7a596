# What is installed beside the programs, and the Debian packages (weir, weir-doc) that cpack makes of it: script/package.
find_program(GZIP gzip REQUIRED)

set(WEIR_PACKAGE_RELEASE 1 CACHE STRING "revision of the Debian package")
set(WEIR_PACKAGE_VERSION ${PROJECT_VERSION}-${WEIR_PACKAGE_RELEASE})
set(manual ${CMAKE_BINARY_DIR}/manual)
set(packaging ${CMAKE_SOURCE_DIR}/packaging)
configure_file(${packaging}/debian/changelog.in ${manual}/changelog @ONLY)

# The pages of weir and weir.yaml are printed by the program from its own tables. -n: the same bytes at every build.
function(_weir_compress out in)
	add_custom_command(OUTPUT ${out} COMMAND ${GZIP} -9n < ${in} > ${out} DEPENDS ${in} VERBATIM)
endfunction()
set(pages)
foreach(page weir.8 weir.yaml.5)
	string(REGEX REPLACE "\\.[0-9]$" "" name ${page})
	add_custom_command(OUTPUT ${manual}/${page} COMMAND weir man-page ${name} > ${manual}/${page} DEPENDS weir VERBATIM)
	_weir_compress(${manual}/${page}.gz ${manual}/${page})
	list(APPEND pages ${manual}/${page}.gz)
endforeach()
file(GLOB of_processes CONFIGURE_DEPENDS ${packaging}/man/*.8)
foreach(page ${of_processes})
	get_filename_component(name ${page} NAME)
	_weir_compress(${manual}/${name}.gz ${page})
	list(APPEND pages ${manual}/${name}.gz)
endforeach()
_weir_compress(${manual}/changelog.Debian.gz ${manual}/changelog)
add_custom_target(manual DEPENDS ${pages} ${manual}/changelog.Debian.gz)

function(_weir_install destination)
	install(FILES ${ARGN} DESTINATION ${destination} COMPONENT weir)
endfunction()
foreach(page ${pages})
	string(REGEX REPLACE ".*\\.([0-9])\\.gz$" "\\1" section ${page})
	_weir_install(share/man/man${section} ${page})
endforeach()
file(GLOB units CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/systemd/*.service ${CMAKE_SOURCE_DIR}/systemd/*.socket ${CMAKE_SOURCE_DIR}/systemd/*.target)
# Debian 12 has systemd's folder there, and dpkg knows no other name for it.
_weir_install(/lib/systemd/system ${units})
install(FILES ${CMAKE_SOURCE_DIR}/systemd/hardening.conf DESTINATION /lib/systemd/system/weir-.service.d COMPONENT weir)
# What a unit needs beyond that: read after hardening.conf, which is read after the unit.
file(GLOB needs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/systemd/*.needs.conf)
foreach(file ${needs})
	get_filename_component(name ${file} NAME)
	string(REPLACE ".needs.conf" ".service.d" folder ${name})
	install(FILES ${file} DESTINATION /lib/systemd/system/${folder} RENAME needs.conf COMPONENT weir)
endforeach()
file(MAKE_DIRECTORY ${manual})
file(CREATE_LINK /usr/bin/weir ${manual}/weir-generator SYMBOLIC)
install(FILES ${manual}/weir-generator DESTINATION /lib/systemd/system-generators COMPONENT weir)
install(FILES ${CMAKE_SOURCE_DIR}/systemd/weir.sysusers DESTINATION lib/sysusers.d RENAME weir.conf COMPONENT weir)
install(FILES ${CMAKE_SOURCE_DIR}/systemd/weir.tmpfiles DESTINATION lib/tmpfiles.d RENAME weir.conf COMPONENT weir)
install(FILES ${packaging}/weir.yaml DESTINATION /etc/weir COMPONENT weir)
install(FILES ${packaging}/weir.bash DESTINATION share/bash-completion/completions RENAME weir COMPONENT weir)
foreach(package weir weir-doc)
	install(FILES ${packaging}/debian/${package}.lintian DESTINATION share/lintian/overrides RENAME ${package} COMPONENT ${package})
endforeach()
_weir_install(share/doc/weir ${packaging}/debian/copyright ${manual}/changelog.Debian.gz)

file(GLOB documents CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/*)
install(FILES ${documents} ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/httpd/openapi.json ${packaging}/debian/copyright
	${manual}/changelog.Debian.gz DESTINATION share/doc/weir-doc COMPONENT weir-doc)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME weir)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The Weir authors <weir@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL weir weir-doc)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${WEIR_PACKAGE_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_WEIR_PACKAGE_NAME weir)
set(CPACK_DEBIAN_WEIR_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_WEIR_PACKAGE_DEPENDS "systemd, init-system-helpers (>= 1.52)")
set(CPACK_DEBIAN_WEIR_PACKAGE_RECOMMENDS "ieee-data, ca-certificates")
set(CPACK_DEBIAN_WEIR_PACKAGE_SUGGESTS weir-doc)
set(CPACK_DEBIAN_WEIR_PACKAGE_CONTROL_EXTRA ${packaging}/debian/postinst ${packaging}/debian/prerm ${packaging}/debian/postrm ${packaging}/debian/conffiles)
set(CPACK_COMPONENT_WEIR_DESCRIPTION "network traffic monitor for many tenants
Weir shows what goes through a network while it does: who talks to whom, how
much, by which application, second by second and back through time.

Each part is a process of its own behind a system call filter, with a user of
its own and no right that it does not need: the one that opens an interface
parses nothing, those that parse can do nothing else.")
set(CPACK_DEBIAN_WEIR-DOC_PACKAGE_NAME weir-doc)
set(CPACK_DEBIAN_WEIR-DOC_PACKAGE_SECTION doc)
set(CPACK_DEBIAN_WEIR-DOC_PACKAGE_ARCHITECTURE all)
set(CPACK_COMPONENT_WEIR-DOC_DESCRIPTION "network traffic monitor for many tenants (documentation)
Weir shows what goes through a network while it does: who talks to whom, how
much, by which application, second by second and back through time.

This package has its manual, the description of its API and how it is built.")
include(CPack)
