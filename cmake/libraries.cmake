# flexsync_library(NAME PUBLIC ... PRIVATE ...): the static library of one folder of src/,
# made of every .cpp in it. What may be linked is the dependency direction of docs/architecture.md.
function(flexsync_library name)
  cmake_parse_arguments(arg "" "" "PUBLIC;PRIVATE;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  foreach(file ${arg_EXCLUDE})
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
  add_library(flexsync_${name} STATIC ${sources})
  add_library(flexsync::${name} ALIAS flexsync_${name})
  target_link_libraries(flexsync_${name} PUBLIC flexsync::options ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()
