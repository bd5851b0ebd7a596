#include "certificate_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "certificate.h"
#include "directories.h"
#include "interface.h"
#include "secret_file.h"

#define ADDRESSES_MAX  32
#define LOOKS_TO_RENEW 3600u /* an hour of looks */
#define SEALS          (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

void
certificate_files_init(struct certificate_files *f)
{
	memset(f, 0, sizeof(*f));
	f->chain.fd = f->key.fd = f->directory = -1;
}

void
certificate_files_close(struct certificate_files *f)
{
	fd_drop(&f->chain.fd);
	fd_drop(&f->key.fd);
	fd_drop(&f->directory);
}

/* --- which files
 * ---------------------------------------------------------------------------------------------------- */

static void
set_path(struct certificate_file *f, const char *directory, const char *name)
{
	(void)snprintf(f->path, sizeof(f->path), "%s/%s", directory, name);
}

/* Its addresses are what certificates are asked about: they are those of the machine as it is now. */
static bool
make(const struct certificate_files *f, char *err, size_t errsize)
{
	struct ip_addr addresses[ADDRESSES_MAX];
	size_t n = interface_addresses(NULL, addresses, ADDRESSES_MAX);
	bool made;

	if (!certificate_ensure(f->directory, addresses, n, &made, err, errsize))
		return false;
	if (made)
		log_info("made a certificate, %s (or set httpd.certificate)", f->chain.path);
	return true;
}

static bool
find_own(struct certificate_files *f, const struct settings *s, int data_directory, char *err, size_t errsize)
{
	AUTO(fd_drop) int tls = directory_of(data_directory, s->data_directory, "tls", 0, err, errsize);
	char directory[CERTIFICATE_PATH_MAX - 32];

	if (tls == -1)
		return false;
	(void)snprintf(directory, sizeof(directory), "%s/tls", s->data_directory);
	set_path(&f->chain, directory, CERTIFICATE_FILE);
	set_path(&f->key, directory, CERTIFICATE_KEY_FILE);
	f->directory =
	    openat(tls, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* fsync wants more than O_PATH */
	if (f->directory != -1)
		return make(f, err, errsize);
	(void)snprintf(err, errsize, "%s: %s", directory, strerror(errno));
	return false;
}

/* A directory is one as clients of Let's Encrypt keep them. */
static bool
find_given(struct certificate_files *f, const struct settings *s, char *err, size_t errsize)
{
	if (s->certificate_key[0] == '\0') {
		set_path(&f->chain, s->certificate, "fullchain.pem");
		set_path(&f->key, s->certificate, "privkey.pem");
	} else {
		str_copy(f->chain.path, sizeof(f->chain.path), s->certificate);
		return secret_file_path(s->certificate_key, f->key.path, sizeof(f->key.path), err, errsize);
	}
	return true;
}

/* --- opening
 * -------------------------------------------------------------------------------------------------------- */

static int
open_pem(struct certificate_file *f, char *err, size_t errsize)
{
	AUTO(fd_drop) int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1) {
		(void)snprintf(err, errsize, "%s: %s", f->path, strerror(errno));
		return -1;
	}
	f->judged = file_version_of(&st);
	if (S_ISREG(st.st_mode))
		return fd_keep(&fd);
	(void)snprintf(err, errsize, "%s: is no file", f->path);
	return -1;
}

/* Some keep keys for a group of services (ssl-cert), which may read them then; nobody else may. */
static bool
key_is_closed(int key, const char *path, char *err, size_t errsize)
{
	struct stat st;

	if (fstat(key, &st) == 0 && (st.st_mode & 027) == 0)
		return true;
	(void)snprintf(err, errsize, "%s: others can read or write this private key: chmod 600 %s", path,
		       path);
	return false;
}

static bool
open_pair(struct certificate_files *f, char *err, size_t errsize)
{
	AUTO(fd_drop) int chain = open_pem(&f->chain, err, errsize);
	AUTO(fd_drop) int key = chain == -1 ? -1 : open_pem(&f->key, err, errsize);

	if (key != -1 && !key_is_closed(key, f->key.path, err, errsize))
		return false;
	if (key == -1 || !certificate_check(chain, f->chain.path, key, f->key.path, err, errsize))
		return false;
	fd_drop(&f->chain.fd);
	fd_drop(&f->key.fd);
	f->chain.fd = fd_keep(&chain);
	f->key.fd = fd_keep(&key);
	return true;
}

bool
certificate_files_open(struct certificate_files *f, const struct settings *s, int data_directory, char *err,
		       size_t errsize)
{
	if (s->certificate[0] != '\0' && !find_given(f, s, err, errsize))
		return false;
	if (s->certificate[0] == '\0' && !find_own(f, s, data_directory, err, errsize))
		return false;
	if (!open_pair(f, err, errsize))
		return false;
	f->chain.seen = f->chain.judged;
	f->key.seen = f->key.judged;
	return true;
}

/* --- looking again
 * -------------------------------------------------------------------------------------------------- */

/* Once for each state: a file that is missing is missing at every look. */
static bool
tell(struct certificate_files *f, const char *why)
{
	if (!f->told)
		log_warn("httpd.certificate: %s; the one before stays", why);
	f->told = true;
	return false;
}

/* Whether it stood still since the last look; *changed where it is not what was judged. */
static bool
look(struct certificate_file *f, bool *changed)
{
	struct file_version now;
	struct stat st;
	bool still;

	if (stat(f->path, &st) == -1)
		return false;
	now = file_version_of(&st);
	still = file_version_same(&now, &f->seen);
	f->seen = now;
	*changed = *changed || !file_version_same(&now, &f->judged);
	return still;
}

bool
certificate_files_look(struct certificate_files *f)
{
	char err[CERTIFICATE_PATH_MAX + 128];
	bool changed = false, still;

	if (f->directory != -1 && ++f->looks >= LOOKS_TO_RENEW) {
		f->looks = 0;
		if (!make(f, err, sizeof(err)))
			(void)tell(f, err);
	}
	still = look(&f->chain, &changed);
	still = look(&f->key, &changed) && still;
	if (!changed || !still)
		return false;
	f->told = false;
	return open_pair(f, err, sizeof(err)) || tell(f, err);
}

/* --- handing on
 * ----------------------------------------------------------------------------------------------------- */

static bool
append(int out, int in)
{
	struct stat st;
	off_t at = 0; /* the descriptor's own offset is its next reader's */

	if (fstat(in, &st) == -1)
		return false;
	while (at < st.st_size) {
		ssize_t n = sendfile(out, in, &at, (size_t)(st.st_size - at));

		if (n == 0 || (n == -1 && errno != EINTR))
			return false;
	}
	return true;
}

static int
memory_of(const struct certificate_files *f, bool with_key)
{
	AUTO(fd_drop) int out = memfd_create("certificate", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	/* A file need not end its last line. */
	if (out == -1 || !append(out, f->chain.fd) || write(out, "\n", 1) != 1 ||
	    (with_key && !append(out, f->key.fd)) || fcntl(out, F_ADD_SEALS, SEALS) == -1)
		return -1;
	return fd_keep(&out);
}

int
certificate_files_memory(const struct certificate_files *f)
{
	return memory_of(f, true);
}

int
certificate_files_chain_memory(const struct certificate_files *f)
{
	return memory_of(f, false);
}
