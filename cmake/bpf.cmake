# Compiles bpf/saker.bpf.c and turns the object into a header that embeds it (build/gen/saker.skel.h), for the one room
# that knows libbpf. Needs no BTF on the building machine: the types are in bpf/types.h, relocated when loaded.
find_program(BPF_CLANG NAMES clang-19 clang REQUIRED)
find_program(BPFTOOL bpftool PATHS /usr/sbin REQUIRED)
set(BPF_OBJECT ${CMAKE_BINARY_DIR}/gen/saker.bpf.o)
set(BPF_HEADER ${CMAKE_BINARY_DIR}/gen/saker.skel.h)
file(GLOB BPF_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.h ${CMAKE_SOURCE_DIR}/bpf/*.c)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/gen)
add_custom_command(
  OUTPUT ${BPF_OBJECT}
  COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Wno-unused-function -Werror -D__TARGET_ARCH_x86
          -I${CMAKE_SOURCE_DIR}/bpf -I${CMAKE_SOURCE_DIR}/src -c ${CMAKE_SOURCE_DIR}/bpf/saker.bpf.c -o ${BPF_OBJECT}
  DEPENDS ${BPF_SOURCES} ${CMAKE_SOURCE_DIR}/src/event/events.def
  COMMENT "Compiling the BPF programs")
add_custom_command(
  OUTPUT ${BPF_HEADER}
  COMMAND ${BPFTOOL} gen skeleton ${BPF_OBJECT} name saker_bpf > ${BPF_HEADER}.new && mv ${BPF_HEADER}.new ${BPF_HEADER}
  DEPENDS ${BPF_OBJECT}
  COMMENT "Embedding the BPF programs")
add_custom_target(bpf_header DEPENDS ${BPF_HEADER})
add_dependencies(saker_kernel bpf_header)
target_sources(saker_kernel PRIVATE ${BPF_HEADER})
target_include_directories(saker_kernel PUBLIC ${CMAKE_SOURCE_DIR}/bpf)
