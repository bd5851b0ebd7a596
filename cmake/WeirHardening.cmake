# Every hardening flag of the house, in this one file. tests/system/test_elf.py reads the
# built files and fails where one of them lacks any of these.
include(CheckCCompilerFlag)

add_library(weir_hardening INTERFACE)
target_compile_options(weir_hardening INTERFACE
	-fPIE
	-fstack-protector-strong
	-fstack-clash-protection
	-fno-strict-overflow
	-fno-delete-null-pointer-checks
	-fno-common)
target_link_options(weir_hardening INTERFACE
	-pie
	-Wl,-z,relro -Wl,-z,now
	-Wl,-z,noexecstack
	-Wl,-z,separate-code
	-Wl,--as-needed)

check_c_compiler_flag(-ftrivial-auto-var-init=zero WEIR_HAS_AUTO_VAR_INIT)
if(WEIR_HAS_AUTO_VAR_INIT)
	target_compile_options(weir_hardening INTERFACE -ftrivial-auto-var-init=zero)
endif()

# Control-flow enforcement: CET on x86-64, BTI and pointer authentication on arm64.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
	target_compile_options(weir_hardening INTERFACE -fcf-protection=full)
	target_link_options(weir_hardening INTERFACE -Wl,-z,ibt -Wl,-z,shstk)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
	target_compile_options(weir_hardening INTERFACE -mbranch-protection=standard)
endif()

# _FORTIFY_SOURCE needs optimisation, and sanitizers check the same calls themselves.
if(NOT WEIR_SANITIZE AND NOT WEIR_FUZZ AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
	target_compile_options(weir_hardening INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
