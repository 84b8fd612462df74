#pragma once

// One connection of the load and what it does: it owns every key with id % connections == number, so nobody else
// changes its rows and it knows what each of them must hold.

#include "bench/load/bookkeeping_load.hpp"
#include "bench/load/load_connection.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sluice::load {

/// What all clients share.
struct load_scene {
    load_options options;
    std::atomic<bool> stopping{false};
    std::atomic<std::uint16_t> phase{0};  ///< index of the label that statements count under now
    std::atomic<std::uint64_t> statements{0};
    std::atomic<std::uint64_t> errors{0};
};

class load_client {
public:
    load_client(load_scene& scene, unsigned number);
    load_client(const load_client&) = delete;
    load_client& operator=(const load_client&) = delete;

    [[nodiscard]] answer connect() { return connection_.connect(scene_.options.target); }
    /// Works until the scene is stopping.
    void run();

    struct sample {
        timed_statement statement;
        std::uint16_t phase;
        bool lost;  ///< its connection was: how long it waited says nothing of the server
    };
    /// Read after run() has returned.
    [[nodiscard]] const std::vector<sample>& samples() const { return samples_; }
    [[nodiscard]] const load_report& counts() const { return counts_; }
    [[nodiscard]] books take_books() { return std::move(books_); }

private:
    using changes = std::map<std::uint64_t, maybe_row>;

    void step();
    void transaction();
    void reconnect();
    void wait_for_turn();

    // Each plans one statement on the rows as the transaction sees them and sends it. False: it failed.
    bool any_statement();
    bool read(std::uint64_t id);
    bool read_by_index(std::uint64_t id, const order_row& row);
    bool insert(std::uint64_t id);
    bool update_status(std::uint64_t id, order_row row);
    bool update_amount(std::uint64_t id, order_row row);
    bool update_everything(std::uint64_t id, order_row row);
    bool update_several();
    bool remove(std::uint64_t id);
    bool write(const std::string& text, const std::vector<std::string>& parameters, std::uint64_t rows_met,
               const changes& made);

    [[nodiscard]] maybe_row now_at(std::uint64_t id) const;
    [[nodiscard]] std::uint64_t some_live_id();
    [[nodiscard]] std::uint64_t absent_id();
    [[nodiscard]] order_row random_row();
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }

    answer send(const std::string& text, const std::vector<std::string>& parameters);
    void choose_from_now_on(std::uint64_t id, bool present);
    void no_longer_live(std::uint64_t id);
    void acknowledge(const changes& made);
    void doubt(const changes& made);
    void note_error(const answer& outcome, const std::string& text);
    void note_wrong(const std::string& what);
    void keep(const std::string& message);

    load_scene& scene_;
    const std::uint64_t number_;
    const bool prepared_;
    load_connection connection_;
    std::mt19937_64 random_;

    books books_;
    std::vector<std::uint64_t> live_, absent_;  ///< keys to choose from; those of unknown state are in neither
    std::unordered_map<std::uint64_t, std::size_t> place_;  ///< of the keys in live_
    std::uint64_t next_new_id_;
    bool in_transaction_ = false;
    bool without_pause_ = false;  ///< from the answer to BEGIN until that to COMMIT or ROLLBACK
    changes pending_;             ///< the open transaction's changes

    std::uint64_t clock_us_;  ///< grows with every write, so that no two versions of a row are alike
    std::chrono::steady_clock::time_point next_turn_;
    std::vector<sample> samples_;
    load_report counts_;
};

}  // namespace sluice::load
