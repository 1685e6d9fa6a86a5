// bin/tidewire: see `tidewire --help`, and server/commands.h for what it does.
#include "server/commands.h"

int main(int argc, char** argv) { return tidewire::server::run(argc, argv); }
