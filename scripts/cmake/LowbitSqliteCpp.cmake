# libsqlitecpp-dev installs headers and a library, but its CMake package is not usable on Debian 12 as it stands:
# one imported target, whichever way it was found.
if(NOT TARGET lowbit_sqlitecpp)
  find_path(LOWBIT_SQLITECPP_INCLUDE SQLiteCpp/SQLiteCpp.h REQUIRED)
  find_library(LOWBIT_SQLITECPP_LIBRARY SQLiteCpp REQUIRED)
  add_library(lowbit_sqlitecpp INTERFACE)
  target_include_directories(lowbit_sqlitecpp SYSTEM INTERFACE "${LOWBIT_SQLITECPP_INCLUDE}")
  target_link_libraries(lowbit_sqlitecpp INTERFACE "${LOWBIT_SQLITECPP_LIBRARY}" SQLite::SQLite3)
endif()
