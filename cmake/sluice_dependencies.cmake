# Every third-party library, and why it is here. All come from the distribution.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# Boost.Asio and Boost.Beast: sockets, timers, HTTP. Boost.System: result<T, E>. Boost.JSON: the admin API's bodies.
find_package(Boost 1.81 REQUIRED COMPONENTS system json)
# OpenSSL: SHA digests and RSA of the authentication plugins; TLS.
find_package(OpenSSL 3.0 REQUIRED)
# libzstd: compressed transactions in the binary log (TRANSACTION_PAYLOAD_EVENT).
# zlib: CRC32 of binary-log events and MariaDB's compressed events.
find_package(ZLIB REQUIRED)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
# libmysqlclient (or MariaDB Connector/C under its name): the engine's own SQL connections.
pkg_check_modules(mysqlclient REQUIRED IMPORTED_TARGET mysqlclient)
# spdlog: asynchronous-safe, levelled logging.
find_package(spdlog REQUIRED)
# toml++: the configuration file. CLI11: the command line.
find_path(TOMLPP_INCLUDE_DIR toml++/toml.h REQUIRED)
find_package(CLI11 REQUIRED)

# Asio and Beast are header libraries; their function bodies are compiled once, in this target.
add_library(sluice_asio STATIC ${CMAKE_SOURCE_DIR}/cmake/asio_bodies.cpp)
target_compile_definitions(sluice_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(sluice_asio PUBLIC Boost::headers Threads::Threads OpenSSL::SSL)
# Third-party code that we compile is not held to our warning flags.
target_compile_options(sluice_asio PRIVATE -Wno-conversion -Wno-shadow)
