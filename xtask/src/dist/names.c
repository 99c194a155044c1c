/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Debian's static libelf and zlib were compiled for glibc. These are the names that they ask
 * of it and that musl does not have.
 */
#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

void *rawmemchr(const void *bytes, int wanted)
{
	const unsigned char *at = bytes;

	while (*at != (unsigned char)wanted)
		at++;
	return (void *)at;
}

off_t lseek64(int fd, off_t offset, int whence)
{
	return lseek(fd, offset, whence);
}

/* `room` is what the compiler knows of the size of the buffer: never less than `size`, or it
 * would have said so. */
int __vsnprintf_chk(char *buffer, size_t size, int flag, size_t room, const char *format,
		    va_list values)
{
	(void)flag;
	return vsnprintf(buffer, size < room ? size : room, format, values);
}

int __snprintf_chk(char *buffer, size_t size, int flag, size_t room, const char *format, ...)
{
	va_list values;
	int length;

	va_start(values, format);
	length = __vsnprintf_chk(buffer, size, flag, room, format, values);
	va_end(values);
	return length;
}
