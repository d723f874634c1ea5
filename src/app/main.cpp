#include "app/command_line.hpp"

int main(int argc, char** argv) {
  return flexsync::app::run(argc, argv);
}
