// One handler per alternative of a variant: std::visit(Overloaded{…}, value).
#pragma once

namespace flexsync::actors {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace flexsync::actors
