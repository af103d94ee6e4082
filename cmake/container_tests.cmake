# Making pods for tests, and runtimes that misbehave: a library, and the program test_pod for scripts.
saker_protobuf_library(saker_test_proto ${CMAKE_SOURCE_DIR}/tests container)
add_library(saker_test_pod STATIC ${CMAKE_SOURCE_DIR}/tests/container/pod.cc
                                  ${CMAKE_SOURCE_DIR}/tests/container/fake_runtime.cc)
target_include_directories(saker_test_pod PUBLIC ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(saker_test_pod PUBLIC saker_k8s PRIVATE saker_test_proto nghttp2)
add_executable(test_pod ${CMAKE_SOURCE_DIR}/tests/container/pod_main.cc)
target_link_libraries(test_pod PRIVATE saker_test_pod)
target_link_libraries(test_k8s PRIVATE saker_test_pod saker_k8s_proto)
