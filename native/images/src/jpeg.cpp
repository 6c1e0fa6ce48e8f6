#include "jpeg.h"

#ifdef MILLRACE_JPEG
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>

#include <jpeglib.h>
#endif

namespace millrace::images {

#ifdef MILLRACE_JPEG
namespace {

#define TEXT_OF(value) #value
#define TEXT(value) TEXT_OF(value)

/** More passes than any encoder makes: a small file of many keeps a decoder busy for minutes. */
constexpr int MOST_SCANS = 100;

struct Errors {
  jpeg_error_mgr manager;
  jmp_buf back;
};

[[noreturn]] void fail(j_common_ptr info) { longjmp(reinterpret_cast<Errors*>(info->err)->back, 1); }

/** A warning is a fault, too: what is then in its place is up to the decoder. */
void onMessage(j_common_ptr info, int level) {
  if (level < 0) fail(info);
}

void onProgress(j_common_ptr info) {
  if (info->is_decompressor && reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > MOST_SCANS) fail(info);
}

/** Whether a picture's EXIF data, if it has any, certainly say nothing of an orientation but 1. */
bool upright(const jpeg_decompress_struct& info) {
  for (jpeg_saved_marker_ptr marker = info.marker_list; marker; marker = marker->next) {
    const uint8_t* data = marker->data;
    size_t size = marker->data_length;
    if (size < 6 || std::memcmp(data, "Exif", 4) != 0) continue;
    if (size < 14) return false;
    bool little = data[6] == 'I';
    const uint8_t* tiff = data + 6;
    size -= 6;
    auto u16 = [&](size_t at) { return little ? tiff[at] | tiff[at + 1] << 8 : tiff[at] << 8 | tiff[at + 1]; };
    auto u32 = [&](size_t at) { return little ? size_t(u16(at)) | size_t(u16(at + 2)) << 16 : size_t(u16(at)) << 16 | size_t(u16(at + 2)); };
    size_t start = u32(4);
    if (start + 2 > size) return false;
    size_t count = size_t(u16(start));
    if (start + 2 + 12 * count > size) return false;
    for (size_t i = 0; i < count; i++) {
      size_t at = start + 2 + 12 * i;
      if (u16(at) == 274 && u16(at + 8) != 1) return false;
    }
  }
  return true;
}

/** Decodes at the scale of `info`, whose header was read. No object with a destructor may live here: see `fail`. */
bool scanlines(jpeg_decompress_struct& info, uint8_t* pixels) {
  size_t stride = size_t(info.output_width) * 3;
  while (info.output_scanline < info.output_height) {
    JSAMPROW rows[8];
    JDIMENSION count = info.output_height - info.output_scanline;
    if (count > 8) count = 8;
    for (JDIMENSION i = 0; i < count; i++) rows[i] = pixels + (size_t(info.output_scanline) + i) * stride;
    jpeg_read_scanlines(&info, rows, count);
  }
  return jpeg_finish_decompress(&info);
}

/** Room for the pixels; without memory for them it fails as a damaged file does. */
void makeRoom(jpeg_decompress_struct& info, Decoded& decoded) {
  bool room = true;
  try {
    decoded.pixels = decoded.memory.room(size_t(info.output_width) * info.output_height * 3);
  } catch (const std::bad_alloc&) {
    room = false;
  }
  if (!room) fail(reinterpret_cast<j_common_ptr>(&info));
  decoded.width = int(info.output_width);
  decoded.height = int(info.output_height);
  decoded.fullWidth = int(info.image_width);
  decoded.fullHeight = int(info.image_height);
}

void scale(jpeg_decompress_struct& info, int width, int height) {
  info.scale_denom = 8;
  for (info.scale_num = 1; info.scale_num < 8; info.scale_num++)
    if (info.image_width * info.scale_num >= 8u * unsigned(width) &&
        info.image_height * info.scale_num >= 8u * unsigned(height))
      break;
  info.dct_method = JDCT_IFAST;
  info.do_fancy_upsampling = FALSE;
}

}  // namespace

const char* jpegLibrary() { return "libjpeg-turbo " TEXT(LIBJPEG_TURBO_VERSION); }

bool decodeJpeg(const uint8_t* bytes, size_t size, size_t mostPixels, int width, int height, Decoded& decoded) {
  if (size < 4 || bytes[0] != 0xff || bytes[1] != 0xd8) return false;
  jpeg_decompress_struct info;
  Errors errors;
  jpeg_progress_mgr progress = {};
  progress.progress_monitor = onProgress;
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = fail;
  errors.manager.emit_message = onMessage;
  if (setjmp(errors.back)) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  info.progress = &progress;
  jpeg_mem_src(&info, bytes, (unsigned long)size);
  jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
  bool usable = jpeg_read_header(&info, TRUE) == JPEG_HEADER_OK && info.data_precision == 8 &&
                ((info.num_components == 3 && info.jpeg_color_space == JCS_YCbCr) ||
                 (info.num_components == 1 && info.jpeg_color_space == JCS_GRAYSCALE)) &&
                size_t(info.image_width) * info.image_height <= mostPixels && upright(info);
  bool whole = false;
  if (usable) {
    info.out_color_space = JCS_RGB;
    if (width > 0) scale(info, width, height);
    jpeg_calc_output_dimensions(&info);
    makeRoom(info, decoded);
    jpeg_start_decompress(&info);
    whole = scanlines(info, decoded.pixels);
  }
  jpeg_destroy_decompress(&info);
  return whole;
}

#else

const char* jpegLibrary() { return ""; }

bool decodeJpeg(const uint8_t*, size_t, size_t, int, int, Decoded&) { return false; }

#endif

}  // namespace millrace::images
