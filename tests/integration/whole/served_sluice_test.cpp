// The ports of a Sluice that a test starts: somebody else may have taken one for a while.

#include "proxy/main/demo/served_sluice.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/mysql_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <string>
#include <thread>

using namespace sluice;
using namespace sluice::test;

TEST_CASE("a Sluice that is started again waits until its port is free") {
    using boost::asio::ip::tcp;
    const mysql_server server = mysql_server::start();
    served_sluice sluice(SLUICE_PROGRAM, server.port());
    CHECK(sluice.stop() == 0);
    boost::asio::io_context io;
    tcp::acceptor other(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), sluice.port()));
    std::atomic<bool> was_taken{false};
    std::thread lets_go([&] {
        was_taken = eventually([&] { return sluice.log().find("Address already in use") != std::string::npos; });
        other.close();
    });
    sluice.start_again();
    lets_go.join();
    CHECK(was_taken);
    CHECK(sluice.admin().get("/v1/migrations"));
    CHECK(sluice.stop() == 0);
}
