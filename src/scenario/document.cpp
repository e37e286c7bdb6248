// SPDX-License-Identifier: Apache-2.0
#include "document.hpp"

#include <exception>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <natgpu/core/utf8.hpp>

namespace natgpu::scenario {
namespace {

constexpr std::size_t deepest = 64;
constexpr std::size_t most_nodes = 1'000'000;
constexpr std::size_t most_keys = 4096;
constexpr std::size_t longest_text = 64u << 10;

/// Reading cannot go on; the reason has been reported.
struct Stop : std::exception {};

/// Builds the tree from the parser's events. Aliases are never followed, so that the tree is as large as the
/// text.
class Builder : public YAML::EventHandler {
 public:
  Builder(const Mark& start, Mistakes& mistakes) : start_(start), mistakes_(mistakes) {}

  Mark mark_of(const YAML::Mark& m) const {
    return {start_.source, start_.line + m.line, m.line == 0 ? start_.byte + m.column : m.column};
  }
  bool has_document() const { return documents_ > 0; }
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& m) override {
    // Also ends the endless loop of yaml-cpp 0.7 on the text `,`, which it reads as one empty document after
    // another.
    if (documents_++ > 0)
      stop(Fault::second_document, mark_of(m), "a second document, or text that belongs to none, begins here",
           "a scenario is one map with its keys at one indentation");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& m, YAML::anchor_t anchor) override {
    Node node;
    node.mark = mark_of(m);
    if (anchor != 0) node = broken(Fault::alias, node.mark, "anchors (`&name`) are not read", "delete it");
    add(std::move(node), true);
  }
  void OnAlias(const YAML::Mark& m, YAML::anchor_t) override {
    add(broken(Fault::alias, mark_of(m), "aliases (`*name`) are not read", "write the value out"), false);
  }
  void OnScalar(const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const Mark mark = mark_of(m);
    Node node;
    node.kind = Node::Kind::scalar;
    node.mark = mark;
    node.text = value;
    node.quoted = tag == "!";
    check_properties(node, tag, anchor);
    check_text(node);
    add(std::move(node), false);
  }
  void OnSequenceStart(const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, m, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, m, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    bool has_key = false;
    bool drops_value = false;  // of a key given twice
    Entry entry;
    std::unordered_map<std::string, int> lines;  // of the keys so far; looked up only
  };

  [[noreturn]] void stop(Fault fault, const Mark& mark, std::string message, std::string help) {
    mistakes_.add(fault, mark, 1, std::move(message), std::move(help));
    throw Stop{};
  }
  Node broken(Fault fault, const Mark& mark, std::string message, std::string help) {
    mistakes_.add(fault, mark, 1, std::move(message), std::move(help));
    Node node;
    node.kind = Node::Kind::broken;
    node.mark = mark;
    return node;
  }

  void check_properties(Node& node, const std::string& tag, YAML::anchor_t anchor) {
    const std::string_view source = mistakes_.from(node.mark);
    const bool has_tag = (!tag.empty() && tag != "?" && tag != "!") || source.substr(0, 1) == "!";
    if (anchor != 0)
      node = broken(Fault::alias, node.mark, "anchors (`&name`) are not read", "delete it");
    else if (has_tag)
      node = broken(Fault::tag, node.mark, "tags (`!name`) are not read", "delete it, or quote the text");
  }

  void check_text(const Node& node) {
    if (node.text.size() > longest_text)
      stop(Fault::limit_exceeded, node.mark, "a text of more than 64 KiB", "put long texts elsewhere");
    if (node.quoted && !is_closed(node))
      stop(Fault::open_quote, node.mark, "this quote is never closed", "close it, or double a quote inside");
    // Escapes such as "\0" bring in what the scan of the bytes could not see.
    for (std::size_t at = 0; at < node.text.size();) {
      const char32_t c = next_character(node.text, at);
      if (c == invalid_character || (is_control(c) && c != U'\n' && c != U'\t'))
        stop(Fault::control_character, node.mark, "an escape for a control character", "delete it");
    }
  }

  bool is_closed(const Node& node) const {
    const std::string_view source = mistakes_.from(node.mark);
    const char quote = source.empty() ? ' ' : source.front();
    if (quote != '"' && quote != '\'') return true;  // a block text
    for (std::size_t at = 1; at < source.size(); ++at) {
      if (quote == '"' && source[at] == '\\')
        ++at;
      else if (source[at] == quote) {
        if (quote == '"' || at + 1 == source.size() || source[at + 1] != quote) return true;
        ++at;
      }
    }
    return false;
  }

  void count_node(const Mark& mark) {
    if (++nodes_ > most_nodes)
      stop(Fault::limit_exceeded, mark, "more than a million values", "put long tables into a trace file");
  }

  void open(Node::Kind kind, const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor) {
    Frame frame;
    frame.node.kind = kind;
    frame.node.mark = mark_of(m);
    count_node(frame.node.mark);
    if (frames_.size() >= deepest)
      stop(Fault::limit_exceeded, frame.node.mark, "nested more than 64 levels deep", "flatten it");
    if (expects_key())
      stop(Fault::bad_key, frame.node.mark, "a list or map as a key, or a bracket without an end",
           "keys are names; close the bracket");
    Node checked = frame.node;
    check_properties(checked, tag, anchor);  // reported; the content is read all the same
    frames_.push_back(std::move(frame));
  }

  void close() {
    Node node = std::move(frames_.back().node);
    frames_.pop_back();
    place(std::move(node));
  }

  bool expects_key() const {
    return !frames_.empty() && frames_.back().node.is_map() && !frames_.back().has_key;
  }

  void add(Node node, bool is_empty) {
    count_node(node.mark);
    if (expects_key()) {
      add_key(std::move(node), is_empty);
      return;
    }
    // The parser marks an absent value with the place of whatever comes next.
    if (is_empty && !frames_.empty())
      node.mark = frames_.back().node.is_map() ? frames_.back().entry.mark : frames_.back().node.mark;
    place(std::move(node));
  }

  void add_key(Node key, bool is_empty) {
    Frame& frame = frames_.back();
    frame.has_key = true;
    frame.drops_value = true;
    frame.entry = Entry{key.text, key.quoted, key.mark, {}};
    if (is_empty) {
      mistakes_.add(Fault::bad_key, key.mark, 1, "a key is missing before the colon or comma");
      return;
    }
    if (key.kind == Node::Kind::broken) return;
    if (key.text == "<<" && !key.quoted) {
      mistakes_.add(Fault::merge_key, key.mark, 2, "merge keys are not read", "write the values out");
      return;
    }
    const auto [at, is_new] = frame.lines.emplace(key.text, key.mark.line);
    if (!is_new) {
      mistakes_.add(Fault::duplicate_key, key.mark, caret_width(frame.entry),
                    fmt::format("key `{}` is given twice", key.text),
                    fmt::format("first given in line {}", at->second));
      return;
    }
    if (frame.lines.size() > most_keys)
      stop(Fault::limit_exceeded, key.mark, "more than 4096 keys in one map", "use a list");
    frame.drops_value = false;
  }

  void place(Node node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (!frame.node.is_map()) {
      frame.node.items.push_back(std::move(node));
      return;
    }
    frame.has_key = false;
    if (frame.drops_value) return;
    frame.entry.value = std::move(node);
    frame.node.entries.push_back(std::move(frame.entry));
    frame.entry = {};
  }

  Mark start_;
  Mistakes& mistakes_;
  int documents_ = 0;
  std::size_t nodes_ = 0;
  std::vector<Frame> frames_;
  Node root_;
};

/// The parser's own messages, in words that say what to look for.
std::string in_plain_words(const std::string& message) {
  static const struct {
    const char *theirs, *ours;
  } table[] = {
      {"end of map not found", "a `key: value` line of the map above was expected here"},
      {"end of sequence not found", "an item of the list above, with a dash, was expected here"},
      {"end of map flow not found", "the brace `{` is never closed, or a comma is missing"},
      {"end of sequence flow not found", "the bracket `[` is never closed, or a comma is missing"},
      {"illegal map value", "a second colon in one line, or a wrong indentation"},
      {"illegal block entry", "a dash that begins a list where none can begin"},
      {"illegal flow end", "a closing bracket without an opening one"},
      {"illegal EOF in scalar", "the file ends inside a quoted text"},
      {"unknown token", "a character that cannot begin a value here; put the text in quotes"},
      {"the referenced anchor is not defined", "aliases (`*name`) are not read"},
  };
  for (const auto& row : table)
    if (message == row.theirs) return row.ours;
  return message;
}

void report(const YAML::ParserException& e, const Builder& builder, const Mark& start, Mistakes& mistakes) {
  const Mark quote = find_open_quote(start, mistakes);
  if (e.msg == "illegal EOF in scalar" && quote.line > 0) {
    mistakes.add(Fault::open_quote, quote, 1, "this quote is never closed",
                 "close it, or double a quote inside");
    return;
  }
  const bool is_alias = e.msg == "the referenced anchor is not defined";
  mistakes.add(is_alias ? Fault::alias : Fault::bad_yaml, builder.mark_of(e.mark), 1, in_plain_words(e.msg));
}

}  // namespace

std::optional<Node> read_document(const Mark& start, Mistakes& mistakes) {
  Builder builder(start, mistakes);
  try {
    std::istringstream stream{std::string(mistakes.from(start))};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return {};
  } catch (const YAML::ParserException& e) {
    report(e, builder, start, mistakes);
    return {};
  } catch (const YAML::Exception& e) {
    mistakes.add(Fault::bad_yaml, builder.mark_of(e.mark), 1, e.msg);
    return {};
  }
  if (!builder.has_document()) {
    mistakes.add(Fault::bad_yaml, {start.source, 0, 0}, 1, "there is nothing in it",
                 "begin with `schema: natgpu/1`");
    return {};
  }
  return builder.take();
}

}  // namespace natgpu::scenario
