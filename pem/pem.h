/*
 * Certificates and private keys in PEM form (RFC 7468), of files that are open: for whoever parses them
 * inside a sandbox. Files are read without moving their offsets, which are their next reader's too, and what
 * was read is wiped.
 */
#ifndef WEIR_PEM_PEM_H
#define WEIR_PEM_PEM_H

struct x509_st; /* OpenSSL's X509 and EVP_PKEY, which are whoever's they are given to */
struct evp_pkey_st;

#define PEM_BYTES_MAX (1u << 20) /* of a file */
#define PEM_ABOVE_MAX 16u        /* certificates above the one that a server shows first */

enum pem_fault {
	PEM_GOOD,
	PEM_UNREADABLE,     /* empty, no regular file, or longer than PEM_BYTES_MAX */
	PEM_NO_CERTIFICATE, /* of those that can be read */
	PEM_CHAIN_BAD,      /* what follows the certificate is damaged, or more than PEM_ABOVE_MAX */
	PEM_NO_KEY,         /* without a password */
	PEM_OTHER_KEY,      /* it is not that of the certificate */
	PEM_FAULTS
};

/* What is wrong, as the rest of a sentence that begins with the file's name: "holds no certificate in PEM
 * form". */
const char *pem_fault_text(enum pem_fault f);

/* The first certificate of the file into *certificate, and those after it into above, *n of them; above may
 * be NULL: then nobody looks what follows. Keys between them are passed over. */
enum pem_fault pem_read_certificates(int fd, struct x509_st **certificate,
				     struct x509_st *above[PEM_ABOVE_MAX], unsigned *n);

/* The first private key of the file that is the certificate's. */
enum pem_fault pem_read_key(int fd, const struct x509_st *certificate, struct evp_pkey_st **key);

#endif
