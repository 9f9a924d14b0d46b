// The header is C++20 as well as C11 (offsets.c).
#include <lowbit/plugin_abi.h>

#include <type_traits>

static_assert(std::is_trivially_copyable_v<lb_job> && std::is_standard_layout_v<lb_job>);
static_assert(std::is_trivially_copyable_v<lb_host> && std::is_standard_layout_v<lb_host>);
static_assert(std::is_trivially_copyable_v<lb_stage> && std::is_standard_layout_v<lb_stage>);
static_assert(std::is_trivially_copyable_v<lb_plugin> && std::is_standard_layout_v<lb_plugin>);
