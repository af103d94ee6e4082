# Messages of other programs' protocols: src/ROOM/proto/*.proto become one static library saker_ROOM_proto, whose
# headers are included as "ROOM/proto/NAME.pb.h". Lite runtime, linked statically where its archive is installed.
find_program(PROTOC protoc REQUIRED)
find_library(PROTOBUF_LITE NAMES libprotobuf-lite.a protobuf-lite REQUIRED)

# saker_protobuf(ROOM): call it before saker_room(ROOM ... LIBS saker_ROOM_proto).
function(saker_protobuf room)
  saker_protobuf_library(saker_${room}_proto ${CMAKE_SOURCE_DIR}/src ${room}/proto)
endfunction()

# saker_protobuf_library(TARGET ROOT FOLDER): the .proto files of ROOT/FOLDER, included as "FOLDER/NAME.pb.h".
function(saker_protobuf_library target root folder)
  file(GLOB protos CONFIGURE_DEPENDS ${root}/${folder}/*.proto)
  set(out ${CMAKE_BINARY_DIR}/gen-proto)
  set(sources)
  foreach(proto ${protos})
    get_filename_component(name ${proto} NAME_WE)
    add_custom_command(
      OUTPUT ${out}/${folder}/${name}.pb.cc ${out}/${folder}/${name}.pb.h
      COMMAND ${CMAKE_COMMAND} -E make_directory ${out}/${folder}
      COMMAND ${PROTOC} --cpp_out=lite:${out} -I${root} ${proto}
      DEPENDS ${proto} VERBATIM)
    list(APPEND sources ${out}/${folder}/${name}.pb.cc)
  endforeach()
  add_library(${target} STATIC ${sources})
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_link_libraries(${target} PUBLIC ${PROTOBUF_LITE} Threads::Threads)
endfunction()
