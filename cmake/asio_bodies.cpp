// The one translation unit that holds the bodies of Boost.Asio and Boost.Beast (see sluice_dependencies.cmake).
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
