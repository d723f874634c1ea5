# One INTERFACE target carries what all of our own code is compiled with.
add_library(flexsync_options INTERFACE)
add_library(flexsync::options ALIAS flexsync_options)

target_compile_features(flexsync_options INTERFACE cxx_std_20)
set(CMAKE_CXX_EXTENSIONS OFF)
target_compile_options(flexsync_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
# GCC 12 sees uninitialised members inside nlohmann's iterators at -O1 that are never read.
target_compile_options(flexsync_options INTERFACE -Wno-maybe-uninitialized)
target_include_directories(flexsync_options INTERFACE ${CMAKE_SOURCE_DIR}/src)

option(FLEXSYNC_FAILPOINTS "Compile the named failpoints in (never in release)" OFF)
if(FLEXSYNC_FAILPOINTS)
  target_compile_definitions(flexsync_options INTERFACE FLEXSYNC_FAILPOINTS)
endif()

set(FLEXSYNC_SANITIZE "" CACHE STRING "address (with undefined) or thread")
if(FLEXSYNC_SANITIZE STREQUAL "address")
  # CAF binds references to null in its own templates, and its queues treat the sentinel of a list as an element:
  # hence -fno-sanitize=null,vptr.
  set(sanitize -fsanitize=address,undefined -fno-sanitize=null,vptr -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(FLEXSYNC_SANITIZE STREQUAL "thread")
  # GCC 12 warns that TSan does not know Asio's fences; what is tested under it does not rely on them.
  set(sanitize -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
endif()
if(sanitize)
  target_compile_options(flexsync_options INTERFACE ${sanitize})
  target_link_options(flexsync_options INTERFACE ${sanitize})
endif()

find_program(FLEXSYNC_CCACHE ccache)
if(FLEXSYNC_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FLEXSYNC_CCACHE})
endif()
find_program(FLEXSYNC_MOLD mold)
if(FLEXSYNC_MOLD)
  target_link_options(flexsync_options INTERFACE -fuse-ld=mold)
endif()
