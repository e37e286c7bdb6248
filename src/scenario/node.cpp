// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "document.hpp"

namespace natgpu::scenario {

const Node* Node::find(std::string_view key) const {
  for (const Entry& e : entries)
    if (e.key == key) return &e.value;
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node&>(*this).find(key));
}

int caret_width(const Node& node) {
  if (!node.is_scalar() || node.text.find('\n') != std::string::npos) return 1;
  return std::max(1, display_width(node.text) + (node.quoted ? 2 : 0));
}

int caret_width(const Entry& key) {
  return std::max(1, display_width(key.key) + (key.quoted ? 2 : 0));
}

std::string kind_name(const Node& node) {
  switch (node.kind) {
    case Node::Kind::scalar:
      return "a single value";
    case Node::Kind::map:
      return "a map";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::empty:
      return "nothing";
    case Node::Kind::broken:
      break;
  }
  return "something else";
}

std::string flow_text(const Node& node) {
  if (node.is_scalar()) return node.text;
  std::string out;
  if (node.is_map()) {
    for (const Entry& e : node.entries)
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", e.key, flow_text(e.value));
    return "{" + out + "}";
  }
  if (node.is_list()) {
    for (const Node& item : node.items) out += (out.empty() ? "" : ", ") + flow_text(item);
    return "[" + out + "]";
  }
  return "";
}

}  // namespace natgpu::scenario
