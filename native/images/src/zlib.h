#pragma once
#include <cstddef>
#include <cstdint>

// Node's own zlib, which it exports to addons. Declared here and weak, so that the addon also loads where it is missing.
extern "C" {
struct ZStream {
  const uint8_t* next_in;
  unsigned avail_in;
  unsigned long total_in;
  uint8_t* next_out;
  unsigned avail_out;
  unsigned long total_out;
  const char* msg;
  void* state;
  void* (*zalloc)(void*, unsigned, unsigned);
  void (*zfree)(void*, void*);
  void* opaque;
  int data_type;
  unsigned long adler;
  unsigned long reserved;
};
int inflateInit_(ZStream* stream, const char* version, int size) __attribute__((weak));
int inflate(ZStream* stream, int flush) __attribute__((weak));
int inflateEnd(ZStream* stream) __attribute__((weak));
unsigned long crc32(unsigned long crc, const uint8_t* bytes, unsigned size) __attribute__((weak));
}

namespace millrace::images {

/** Whether Node brings its zlib. */
inline bool hasZlib() { return inflateInit_ && inflate && inflateEnd && crc32; }

}  // namespace millrace::images
