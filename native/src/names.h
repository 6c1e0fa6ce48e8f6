#pragma once
#include <cstddef>

namespace millrace {

/** How many names are in a list such as "rows, in, out". */
constexpr size_t countNames(const char* list) {
  size_t commas = 0;
  for (const char* at = list; *at; at++) commas += *at == ',';
  return *list ? commas + 1 : 0;
}

/** An enum that JavaScript gets by name, from `about()`. */
#define NAMED_ENUM(Name, ...)               \
  enum class Name : int { __VA_ARGS__ };    \
  constexpr const char* namesOf(Name) { return #__VA_ARGS__; }

/** The places of a kernel's arguments by name; JavaScript gets the same list, and puts the arguments there. */
#define NAMED_PLACES(List, ...)                              \
  struct List {                                              \
    enum : size_t { __VA_ARGS__ };                           \
    static constexpr const char* names = #__VA_ARGS__;       \
    static constexpr size_t length = countNames(#__VA_ARGS__); \
  }

#define INPUTS(...) NAMED_PLACES(In, __VA_ARGS__)
#define RESULTS(...) NAMED_PLACES(Out, __VA_ARGS__)
#define NUMBERS(...) NAMED_PLACES(Num, __VA_ARGS__)

/** Where a number is whose list holds, from `first` on, `n` numbers under each name. */
constexpr size_t repeated(size_t first, size_t place, size_t n) { return first + (place - first) * n; }

struct NoPlaces {
  static constexpr const char* names = "";
  static constexpr size_t length = 0;
};

/** Arguments without names of their own: what a list of arguments says nothing of, it does not have. */
struct NoArguments {
  using In = NoPlaces;
  using Out = NoPlaces;
  using Num = NoPlaces;
};

/**
 * The arguments of a kernel: what comes once, and what `Each` says comes any number of times behind it.
 *
 * A number may stand for several: what it is repeated by stands before it.
 */
struct Arguments : NoArguments {
  using Each = NoArguments;
};

/** The lists of a kernel's arguments at run time. */
struct ArgumentNames {
  const char *inputs, *results, *numbers;

  template <typename List>
  static constexpr ArgumentNames of() {
    return {List::In::names, List::Out::names, List::Num::names};
  }
};

}  // namespace millrace
