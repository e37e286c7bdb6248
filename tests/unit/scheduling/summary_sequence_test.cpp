// SPDX-License-Identifier: Apache-2.0
// The sequence behind the waiting queue and the profiles, against a sorted map that is read from one end to
// the other for every question.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include <natgpu/core/random.hpp>
#include <natgpu/scheduling/summary_sequence.hpp>

#include "catch.hpp"

using namespace natgpu;

namespace {

struct IntegerKeys {
  using Key = std::int64_t;
  static Key of(std::int64_t k) { return k; }
};
struct PairKeys {
  using Key = std::pair<std::int64_t, std::int64_t>;
  static Key of(std::int64_t k) { return {k / 3, k % 3}; }
};

template <class Keys>
struct ValueByKey {
  typename Keys::Key key{};
  std::int64_t value = 0;
};

/// Running sums, as a profile of capacity keeps them: what stands where matters, and nothing is forgotten.
template <class Keys>
struct RunningSum {
  using KeyKind = Keys;
  using Entry = ValueByKey<Keys>;
  using Key = typename Keys::Key;
  struct Summary {
    std::int64_t sum = 0, least = 0;
    friend bool operator==(const Summary&, const Summary&) = default;
  };
  static constexpr std::size_t leaf_size = 4;  // small, so that leaves split and blocks fill up
  static constexpr bool counts_all = false;
  static Key key(const Entry& e) { return e.key; }
  static Summary combine(const Summary& l, const Summary& r) {
    return {l.sum + r.sum, std::min(l.least, l.sum + r.least)};
  }
  static void absorb(Summary& s, const Entry& e) {
    s.sum += e.value;
    s.least = std::min(s.least, s.sum);
  }
  static bool absorb_anywhere(Summary&, const Entry&) { return false; }
  static bool forget(Summary&, const Entry&) { return false; }
};

/// How many and how much: every entry counts, and any can be forgotten.
template <class Keys>
struct CountAndSum : RunningSum<Keys> {
  using Entry = ValueByKey<Keys>;
  struct Summary {
    std::int64_t count = 0, sum = 0;
    friend bool operator==(const Summary&, const Summary&) = default;
  };
  static constexpr bool counts_all = true;
  static Summary combine(const Summary& l, const Summary& r) { return {l.count + r.count, l.sum + r.sum}; }
  static void absorb(Summary& s, const Entry& e) { s = {s.count + 1, s.sum + e.value}; }
  static bool absorb_anywhere(Summary& s, const Entry& e) {
    absorb(s, e);
    return true;
  }
  static bool forget(Summary& s, const Entry& e) {
    s = {s.count - 1, s.sum - e.value};
    return true;
  }
};

/// The greatest, as the queue keeps the smallest request: most entries leave it as it is.
template <class Keys>
struct Greatest : RunningSum<Keys> {
  using Entry = ValueByKey<Keys>;
  struct Summary {
    std::int64_t value = std::numeric_limits<std::int64_t>::min();
    friend bool operator==(const Summary&, const Summary&) = default;
  };
  static Summary combine(const Summary& l, const Summary& r) { return {std::max(l.value, r.value)}; }
  static void absorb(Summary& s, const Entry& e) { s.value = std::max(s.value, e.value); }
  static bool absorb_anywhere(Summary& s, const Entry& e) {
    absorb(s, e);
    return true;
  }
  static bool forget(Summary& s, const Entry& e) { return e.value < s.value; }
};

template <class Traits>
class Duel {
 public:
  using Key = typename Traits::Key;
  using Entry = typename Traits::Entry;
  using Summary = typename Traits::Summary;
  using Plain = std::map<Key, std::int64_t>;

  explicit Duel(std::uint64_t seed) : stream_(seed) {}

  /// Grows and shrinks at the ends, all over, and around one place; looks after every change.
  void run(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      const bool grows = round / 900 % 2 == 0;
      const std::int64_t k = next_key(grows, round / 1'800 % 3);
      if (grows)
        insert(k, below(100) - 50);
      else
        erase(k);
      if (round % 7'200 == 7'199) clear();
      check_ends();
      if (round % 8 == 0) check_questions();
    }
  }

 private:
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(pick(static_cast<std::size_t>(n), stream_.block(draws_++, 0).unit(0)));
  }
  Key any_key() { return Traits::KeyKind::of(below(far)); }

  /// A queue's: last in, first out at the front; anywhere; or ever just behind the one before.
  std::int64_t next_key(bool grows, int manner) {
    if (manner == 0) return grows ? (latest_ += 1 + below(3)) : -1;
    if (manner == 1) return below(far);
    return grows ? middle_++ : middle_ - below(400);
  }
  void insert(std::int64_t k, std::int64_t value) {
    const Key key = Traits::KeyKind::of(k);
    if (const auto place = fast_.locate(key); place.found) {
      REQUIRE(plain_.count(key) == 1);
      REQUIRE(fast_[place].value == plain_.at(key));
      fast_.replace(place, {key, value});
    } else {
      REQUIRE(plain_.count(key) == 0);
      fast_.insert({key, value});
    }
    plain_[key] = value;
  }
  /// @param k  below 0: the first
  void erase(std::int64_t k) {
    if (plain_.empty()) return;
    auto it = k < 0 ? plain_.begin() : plain_.lower_bound(Traits::KeyKind::of(k));
    if (it == plain_.end()) it = plain_.begin();
    const Key gone = it->first;
    plain_.erase(it);
    REQUIRE(fast_.erase(gone));
    REQUIRE_FALSE(fast_.erase(gone));
  }
  void clear() {
    fast_.clear();
    plain_.clear();
  }

  Summary plain_sum(typename Plain::const_iterator from, typename Plain::const_iterator to) const {
    Summary s;
    for (; from != to; ++from) Traits::absorb(s, {from->first, from->second});
    return s;
  }
  void require_same(const Entry* entry, std::optional<Entry> plain) const {
    REQUIRE((entry != nullptr) == plain.has_value());
    if (!plain) return;
    REQUIRE(entry->key == plain->key);
    REQUIRE(entry->value == plain->value);
  }
  static std::optional<Entry> entry_at(const Plain& plain, typename Plain::const_iterator it) {
    if (it == plain.end()) return std::nullopt;
    return Entry{it->first, it->second};
  }

  void check_ends() {
    REQUIRE(fast_.size() == plain_.size());
    REQUIRE(fast_.empty() == plain_.empty());
    require_same(fast_.front(), entry_at(plain_, plain_.begin()));
  }
  void check_questions() {
    REQUIRE((fast_.total() == plain_sum(plain_.begin(), plain_.end())));
    Key low = any_key(), high = any_key();
    if (high < low) std::swap(low, high);
    const auto above_low = plain_.upper_bound(low), above_high = plain_.upper_bound(high);
    REQUIRE((fast_.up_to(high) == plain_sum(plain_.begin(), above_high)));
    REQUIRE((fast_.between(low, high) == plain_sum(above_low, above_high)));
    require_same(fast_.first_after(low), entry_at(plain_, above_low));
    check_search(low, above_low);
  }
  void check_search(const Key& low, typename Plain::const_iterator above_low) {
    if constexpr (requires(Summary s) { s.least; })
      check_running_search(low, above_low);
    else if constexpr (requires(Summary s) { s.count; })
      check_kth(low, above_low);
    else
      check_threshold(low, above_low);
  }

  /// Where the sum from a place on first falls below a bound: an account is kept on the way.
  void check_running_search(const Key& low, typename Plain::const_iterator it) {
    const std::int64_t bound = -below(400) - 1;
    std::int64_t account = 0;
    auto from = fast_.after(low);
    const Entry* found = fast_.walk(
        from,
        [&](const Summary& s) {
          if (account + s.least < bound) return false;
          account += s.sum;
          return true;
        },
        [&](const Entry& e) { return (account += e.value) < bound; });
    std::int64_t plain = 0;
    for (; it != plain_.end(); ++it)
      if ((plain += it->second) < bound) break;
    require_same(found, entry_at(plain_, it));
    REQUIRE(account == plain);
  }
  /// The k-th behind a place, and the k-th before it.
  void check_kth(const Key& low, typename Plain::const_iterator it) {
    const std::int64_t k = below(300) + 1;
    std::int64_t left = k;
    const auto skip = [&](const Summary& s) {
      if (s.count >= left) return false;
      left -= s.count;
      return true;
    };
    const auto stop = [&](const Entry&) { return --left == 0; };
    auto from = fast_.after(low);
    const Entry* behind = fast_.walk(from, skip, stop);
    const bool enough = std::distance(it, plain_.cend()) >= k;
    require_same(behind, entry_at(plain_, enough ? std::next(it, k - 1) : plain_.cend()));
    left = k;
    const Entry* before = fast_.walk_back(fast_.after(low), skip, stop);
    const bool enough_before = std::distance(plain_.cbegin(), it) >= k;
    require_same(before, entry_at(plain_, enough_before ? std::prev(it, k) : plain_.cend()));
  }
  /// The first of all, the first behind a place, and the last before it, that are great enough.
  void check_threshold(const Key& low, typename Plain::const_iterator above_low) {
    const std::int64_t bound = 35 + below(18);  // often met by few, at times by none
    const auto skip = [&](const Summary& s) { return s.value < bound; };
    const auto stop = [&](const Entry& e) { return e.value >= bound; };
    const auto great = [&](const auto& e) { return e.second >= bound; };
    require_same(fast_.find_first(skip, stop),
                 entry_at(plain_, std::find_if(plain_.cbegin(), plain_.cend(), great)));
    require_same(fast_.find_after(low, skip, stop),
                 entry_at(plain_, std::find_if(above_low, plain_.cend(), great)));
    const auto back = std::find_if(std::make_reverse_iterator(above_low), plain_.crend(), great);
    require_same(fast_.walk_back(fast_.after(low), skip, stop),
                 entry_at(plain_, back == plain_.crend() ? plain_.cend() : std::prev(back.base())));
  }

  static constexpr std::int64_t far = 4'000;
  Stream stream_;
  std::uint64_t draws_ = 0;
  std::int64_t latest_ = 0, middle_ = far / 2;
  scheduling::SummarySequence<Traits> fast_;
  Plain plain_;
};

}  // namespace

TEMPLATE_TEST_CASE("a sequence with summaries answers what a sorted map answers that is read throughout", "",
                   RunningSum<IntegerKeys>, RunningSum<PairKeys>, CountAndSum<IntegerKeys>,
                   CountAndSum<PairKeys>, Greatest<IntegerKeys>, Greatest<PairKeys>) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) Duel<TestType>(seed).run(21'600);
}
