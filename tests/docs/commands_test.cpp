// SPDX-License-Identifier: Apache-2.0
// Every command of the README and the docs is run, or checked as far as it can be without its data or its
// time.
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "pages.hpp"
#include "shell.hpp"

namespace fs = std::filesystem;
using namespace natgpu::testing;

namespace {

struct Command {
  std::string page;
  std::size_t line = 0;
  std::string text;
  std::vector<std::string> quoted;  ///< lines that the page says it prints
};

/// Without the comment behind it.
std::string without_comment(const std::string& line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '#' && (i == 0 || line[i - 1] == ' ')) {
      return trimmed(line.substr(0, i));
    }
  }
  return trimmed(line);
}

bool is_shell(const std::string& language) {
  return language == "sh" || language == "bash" || language == "shell" || language == "console";
}

bool is_ours(const std::string& text) {
  for (const char* start : {"natgpu ", "./bootstrap", "build/release/", "build/dev/"})
    if (text.rfind(start, 0) == 0) return true;
  return false;
}

/// Commands of fenced and indented blocks and of code within text.
std::vector<Command> commands_of(const Page& p) {
  std::vector<Command> all;
  std::optional<std::size_t> last;
  for (const Block& block : blocks_of(p)) {
    if (block.language == "text" && block.adjacent && last) {
      all[*last].quoted = block.code;
      last.reset();
      continue;
    }
    last.reset();
    std::string begun;
    for (std::size_t i = 0; i < block.code.size(); ++i) {
      std::string text = without_comment(begun + trimmed(block.code[i]));
      begun.clear();
      if (text.rfind("$ ", 0) == 0) text = text.substr(2);
      if (text.empty() || !(is_shell(block.language) || (block.language == "indented" && is_ours(text))))
        continue;
      if (text.back() == '\\') {
        begun = trimmed(text.substr(0, text.size() - 1)) + " ";
        continue;
      }
      all.push_back({p.name, block.line + i, text, {}});
      last = all.size() - 1;
    }
  }
  for (const auto& [number, line] : prose_of(p)) {
    if (line.rfind("    ", 0) == 0) continue;
    for (const std::string& span : code_spans(line))
      if (is_ours(span)) all.push_back({p.name, number, span, {}});
  }
  return all;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// `SCENARIO...`, `[CODE]`, `DIR`: stands for something else.
bool is_placeholder(const std::string& word) {
  static const std::regex pattern(R"(\[?[A-Z][A-Z_]*(\.\.\.)?\]?|\.\.\.)");
  return std::regex_match(word, pattern);
}

/// Finds what is wrong with a command, or nothing.
class Checker {
 public:
  std::string flaw(const std::string& text) {
    std::vector<std::string> words = words_of(text);
    while (!words.empty() && words.front().find('=') != std::string::npos) words.erase(words.begin());
    if (words.empty()) return "no command";
    const std::string program = words.front();
    if (text == "build/release/natgpu") return {};  // names the program
    if (program == "natgpu" || fs::path(program).filename() == "natgpu") return flaw_of_natgpu(text, words);
    if (program == "./bootstrap") return flaw_of_bootstrap(words);
    if (program == "cmake" || program == "ctest" || program == "ninja") return flaw_of_build(words);
    if (fs::path(program).filename().string().rfind("bench-", 0) == 0) return flaw_of_bench(program);
    if (program.rfind("bench/", 0) == 0 || program.rfind("tests/", 0) == 0)
      return fs::exists(fs::path(NATGPU_SOURCE_DIR) / program) ? "" : "there is no " + program;
    static const std::set<std::string> others{"git",     "cd",     "sudo",
                                              "apt-get", "export", "docs/refresh-readme"};
    if (others.count(program) == 0) return "this test does not know how to check `" + program + "`";
    return {};
  }
  const Checkout& checkout() const { return checkout_; }

 private:
  std::string flaw_of_natgpu(const std::string& text, const std::vector<std::string>& words) {
    const bool alone = words.size() == 2;
    if (words.size() > 1 && words[1].rfind("-", 0) != 0 &&
        (alone || std::any_of(words.begin() + 2, words.end(), is_placeholder)))
      return flaw_of_form(words);
    const std::string line = quick(text);
    const auto known = seen_.find(line);
    if (known != seen_.end()) return known->second;
    const Outcome outcome = checkout_.run(line);
    std::string flaw;
    if (outcome.code != 0 && !only_lacks_its_data(outcome))
      flaw = "`" + line + "` ends with " + std::to_string(outcome.code) + ": " + outcome.err;
    return seen_[line] = flaw;
  }
  /// A command as such, or with placeholders: the help must know it and its options.
  std::string flaw_of_form(const std::vector<std::string>& words) {
    const Outcome help = natgpu_says({words[1], "--help"});
    if (help.code != 0) return help.err;
    for (const std::string& word : words)
      if (word.rfind("--", 0) == 0 &&
          help.out.find("  " + word.substr(0, word.find('=')) + " ") == std::string::npos)
        return "`natgpu " + words[1] + "` has no option " + word;
    return {};
  }
  /// The national scenario takes minutes at full size; a preview of one replication shows that the command
  /// works.
  static std::string quick(const std::string& text) {
    static const std::string scenario = "scenarios/korea-2030.yaml";
    const std::size_t at = text.find(scenario);
    if (at == std::string::npos || text.find("natgpu run ") == std::string::npos) return text;
    static const std::regex replications(R"( --replications [0-9]+)");
    std::string line = std::regex_replace(text, replications, "");
    if (line.find("--quick") == std::string::npos)
      line.insert(line.find(scenario) + scenario.size(), " --quick");
    return line + " --replications 1";
  }
  /// A file that nobody ships (my-scenario.yaml, log.swf.gz) is missing here; the command line was read all
  /// the same.
  bool only_lacks_its_data(const Outcome& outcome) const {
    static const std::regex missing(R"((^|\n)([^\n]+): error\[E0(200|401|601)\])");
    std::smatch found;
    if (outcome.code != 3 || !std::regex_search(outcome.err, found, missing)) return false;
    const std::string file = found[2];
    return !fs::exists(fs::path(checkout_.folder()) / file) && file.rfind("scenarios/", 0) != 0;
  }

  static std::string flaw_of_bootstrap(const std::vector<std::string>& words) {
    static const std::string help = [] {
      const Checkout anywhere;
      return anywhere.run("'" NATGPU_SOURCE_DIR "/bootstrap' --help").out;
    }();
    if (words.size() < 2 || words[1] == "--help") return {};
    return help.find("\n  " + words[1] + " ") != std::string::npos ? ""
                                                                   : "./bootstrap has no `" + words[1] + "`";
  }
  static std::string flaw_of_build(const std::vector<std::string>& words) {
    const std::string presets = read_bytes(std::string(NATGPU_SOURCE_DIR) + "/CMakePresets.json");
    for (std::size_t i = 1; i < words.size(); ++i) {
      std::string preset;
      if (words[i - 1] == "--preset") preset = words[i];
      if (words[i].rfind("build/", 0) == 0) preset = words[i].substr(6);
      if (!preset.empty() && presets.find("\"" + preset + "\"") == std::string::npos)
        return "there is no preset `" + preset + "`";
    }
    return {};
  }
  static std::string flaw_of_bench(const std::string& program) {
    const std::string name = fs::path(program).filename().string().substr(6);
    return fs::exists(fs::path(NATGPU_SOURCE_DIR) / "bench" / (name + ".cpp"))
               ? ""
               : "there is no bench/" + name + ".cpp";
  }

  Checkout checkout_;
  std::map<std::string, std::string> seen_;
};

std::string single_blanks(const std::string& line) {
  std::string out;
  for (const std::string& word : words_of(line)) out += (out.empty() ? "" : " ") + word;
  return out;
}

}  // namespace

TEST_CASE("every command of the README and the docs works as it is printed") {
  Checker checker;
  std::size_t commands = 0;
  for (const Page& p : pages())
    for (const Command& c : commands_of(p)) {
      ++commands;
      INFO(c.page << ":" << c.line << ": " << c.text);
      const std::string flaw = checker.flaw(c.text);
      INFO(flaw);
      CHECK(flaw.empty());
    }
  CHECK(commands > 20);
}

TEST_CASE("what a page prints below a command is what the command prints") {
  Checkout checkout;
  for (const Page& p : pages())
    for (const Command& c : commands_of(p)) {
      if (c.quoted.empty()) continue;
      INFO(c.page << ":" << c.line << ": " << c.text);
      const Outcome outcome = checkout.run(c.text);
      if (outcome.code == 3 && outcome.err.find("E0401") != std::string::npos) {
        WARN("skipped, its log is not here: " << c.text);
        continue;
      }
      std::set<std::string> printed;
      for (const std::string& line : lines_of(outcome.out)) printed.insert(single_blanks(line));
      for (const std::string& line : c.quoted) {
        if (trimmed(line).empty() || trimmed(line) == "...") continue;
        INFO("quoted: " << line << "\nprinted:\n" << outcome.out);
        CHECK(printed.count(single_blanks(line)) == 1);
      }
    }
}

TEST_CASE("the check of commands finds those that do not work") {
  Checker checker;
  for (const char* wrong :
       {"natgpu rnu scenarios/mmc.yaml", "natgpu run scenarios/mmc.yaml --polcy fcfs",
        "natgpu run scenarios/nmc.yaml",
        "natgpu run scenarios/small-city.yaml --set \"scheduling.backfil=fit\"",
        "natgpu replay nothing.swf --policy eazy", "natgpu explain E9999", "natgpu rnu",
        "natgpu run SCENARIO --treads N", "./bootstrap tset", "cmake --preset relase",
        "ninja -C build/relase", "build/release/bench-nothing", "bench/nothing", "make"}) {
    INFO(wrong);
    CHECK_FALSE(checker.flaw(wrong).empty());
  }
  for (const char* right :
       {"natgpu run SCENARIO... --policy P", "natgpu replay log.swf.gz --policy easy",
        "natgpu validate my.yaml", "./bootstrap run --quick", "natgpu explain E0213", "natgpu --version"}) {
    INFO(right);
    INFO(checker.flaw(right));
    CHECK(checker.flaw(right).empty());
  }
}

TEST_CASE("commands are found in fences, in indented blocks and in the text") {
  const Page p{"page",
               {"Run `natgpu version` first.",
                "",
                "```sh",
                "$ natgpu run a.yaml \\",
                "  --quick  # a look",
                "# nothing",
                "```",
                "",
                "```text",
                "one  line",
                "```",
                "",
                "- a list",
                "",
                "    natgpu in a list",
                "",
                "Text.",
                "",
                "    natgpu run \"b # c.yaml\"",
                "    other"}};
  const auto found = commands_of(p);
  REQUIRE(found.size() == 3);
  CHECK(found[0].text == "natgpu run a.yaml --quick");
  CHECK(found[0].quoted == std::vector<std::string>{"one  line"});
  CHECK(found[1].text == "natgpu run \"b # c.yaml\"");
  CHECK(found[1].line == 19);
  CHECK(found[2].text == "natgpu version");
}
