/* What can be configured, as one plain structure: settings.def says what each field means. */
#ifndef WEIR_BASE_SETTINGS_H
#define WEIR_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum settings_unit { UNIT_NONE, UNIT_COUNT, UNIT_BYTES, UNIT_TIME };

#define OIDC_PROVIDERS_MAX 4

/* clang-format off */
#define NUMBER(key, unit, field, min, max, def, help) int64_t field;
#define FLAG(key, field, def, help)                   bool field;
#define TEXT(key, field, size, def, help)             char field[size];
#define LIST(key, field, items, size, help)                                                                  \
	struct {                                                                                             \
		uint32_t n;                                                                                  \
		char item[items][size];                                                                      \
	} field;
/* clang-format on */

/* A provider of OpenID Connect; name "": there is none in this place, nor behind it. */
struct provider_settings {
#define OIDC_KEY ""
#define OIDC(f)  f
#include "provider.def"
#undef OIDC_KEY
#undef OIDC
};

/* Plain data: it is copied into the boot document that every process gets. */
struct settings {
#define SETTINGS_WITHOUT_PROVIDERS
#include "settings.def"
#undef SETTINGS_WITHOUT_PROVIDERS
	struct provider_settings oidc[OIDC_PROVIDERS_MAX];
};
#undef NUMBER
#undef FLAG
#undef TEXT
#undef LIST

/* Values of dns_mode. */
enum dns_mode {
	DNS_MODE_LOCAL,  /* decode responses, and resolve addresses of local hosts */
	DNS_MODE_ALL,    /* decode responses, and resolve every address */
	DNS_MODE_DECODE, /* decode responses only */
	DNS_MODE_DEAF    /* neither */
};

/* Every row at its default. */
void settings_default(struct settings *s);

/*
 * Sets one key from text: numbers take the unit's suffixes (KiB, MiB, GiB; ms, s, min, h, d), flags
 * yes/no/true/false/on/off. A LIST key appends one item. False with a sentence in err ("capture.snaplen: 12
 * is below the least, 64 bytes").
 */
bool settings_set(struct settings *s, const char *key, const char *value, char *err, size_t errsize);

enum number_verdict { NUMBER_GOOD, NUMBER_NONE, NUMBER_STRANGE_UNIT, NUMBER_NO_UNIT, NUMBER_TOO_LARGE };
/* A number as settings take it, with its unit's suffix: bytes, milliseconds. Only NUMBER_GOOD sets *v. */
enum number_verdict settings_number(const char *value, enum settings_unit unit, int64_t *v);
/* The suffixes of a unit in words. */
const char *settings_units(enum settings_unit unit);

/* Whether key names a row; for a misspelt one, near gets the closest key (or ""). */
bool settings_known(const char *key, char *near, size_t nearsize);
bool settings_is_list(const char *key);
/* Empties a list before items of a file replace a default. */
void settings_clear_list(struct settings *s, const char *key);

/* The rows one after another: the key of row i, NULL past the last. */
const char *settings_key(size_t i);
enum settings_kind { SETTINGS_NUMBER, SETTINGS_FLAG, SETTINGS_TEXT, SETTINGS_LIST };
/* What row i, which is there, is: least and most are a number's. */
struct settings_row {
	const char *key, *help;
	enum settings_kind kind;
	enum settings_unit unit;
	int64_t min, max;
};
struct settings_row settings_row(size_t i);
/* Whether row i is of a provider that is not there: nothing was set in its place. */
bool settings_row_is_spare(const struct settings *s, size_t i);
/* The value of row i as text, into out[SETTINGS_VALUE_MAX], without an end; returns its length. Equal values
 * are equal bytes, and only they: a number in bytes or milliseconds, yes or no, the text, the items with a
 * line feed behind each. */
#define SETTINGS_VALUE_MAX 4096
size_t settings_value(const struct settings *s, size_t i, char out[static SETTINGS_VALUE_MAX]);

/* Whether a login name is of one of the provider's domains, by what follows its @. */
bool provider_has_login(const struct provider_settings *p, const char *login);

/* The rows as a Markdown table: docs/CONFIG.md is this text. */
void settings_print_markdown(FILE *f);
/* The rows as an mdoc(7) list, for weir.yaml(5). */
void settings_print_mdoc(FILE *f);

#endif
