/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One row per key says where its value lies in struct linkspec, how it is read, printed and
 * compared, and what its range is. Parser, printer, comparison, help and completion go through that
 * table and know no key by name: a new key is a new row.
 */
#include "lib/linkspec.h"

#include "lib/nearest.h"
#include "lib/units.h"
#include "lib/words.h"
#include "lib/xalloc.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct linkspec_key;

/* How a kind of value is read, written and compared; `field` points into a struct linkspec. */
struct value_kind {
	int (*parse)(const struct linkspec_key *k, void *field, const char *text, struct err *e);
	/* Returns buf, or text with at least the life of the field; "" for the default. */
	const char *(*format)(const struct linkspec_key *k, const void *field, char *buf,
			      size_t size);
	bool (*equal)(const void *a, const void *b);
};

struct linkspec_key {
	const char *name;
	const struct value_kind *kind;
	enum unit_kind unit;
	bool scheduled; /* may change over time by a schedule */
	size_t offset;
	int64_t max;             /* text: bytes with the terminating zero */
	const char *const *word; /* NULL-terminated */
	const char *help;
};

static int check_range(const struct linkspec_key *k, int64_t value, struct err *e)
{
	if (value < 0 || value > k->max)
		return err_set(e, ERR_USAGE, "%s is out of range", k->name);
	return 0;
}

static int number_parse(const struct linkspec_key *k, void *field, const char *text, struct err *e)
{
	int64_t v;

	if (unit_parse(k->unit, text, &v, e) < 0)
		return err_wrap(e, "%s", k->name);
	if (check_range(k, v, e) < 0)
		return -1;
	*(int64_t *)field = v;
	return 0;
}

static const char *number_format(const struct linkspec_key *k, const void *field, char *buf,
				 size_t size)
{
	int64_t v = *(const int64_t *)field;

	return v ? unit_format(k->unit, v, buf, size) : "";
}

static bool number_equal(const void *a, const void *b)
{
	return *(const int64_t *)a == *(const int64_t *)b;
}

/*
 * A word of a list; the first one is the default. The message lists all words: they are few, and
 * nobody remembers them.
 */
static int word_parse(const struct linkspec_key *k, void *field, const char *text, struct err *e)
{
	struct nearest near;

	nearest_init(&near, text);
	for (int64_t i = 0; k->word[i]; i++) {
		if (!strcmp(k->word[i], text)) {
			*(int64_t *)field = i;
			return 0;
		}
		nearest_offer(&near, k->word[i]);
	}
	err_set(e, ERR_USAGE, "%s cannot be '%s'%s (it is one of:", k->name, text,
		nearest_hint(&near));
	for (size_t i = 0; e && k->word[i]; i++) {
		strncat(e->text, " ", sizeof(e->text) - strlen(e->text) - 1);
		strncat(e->text, k->word[i], sizeof(e->text) - strlen(e->text) - 1);
	}
	if (e)
		strncat(e->text, ")", sizeof(e->text) - strlen(e->text) - 1);
	return -1;
}

static const char *word_format(const struct linkspec_key *k, const void *field, char *buf,
			       size_t size)
{
	int64_t v = *(const int64_t *)field;

	return v ? k->word[v] : "";
}

/*
 * p[,r[,1-h[,1-k]]], as tc-netem's "loss gemodel"; commas or blanks between. Gilbert-Elliott: two
 * states, good and bad, with p and r the chances to go from one to the other. What is left out is
 * as in tc: r = 1-p makes losses independent, and a frame is always lost in the bad state.
 */
static int gemodel_parse(const struct linkspec_key *k, void *field, const char *text, struct err *e)
{
	int64_t v[4] = {0, 0, 1000000, 0};
	char *copy = xstrdup(text);
	char *rest = copy;
	size_t n = 0;
	int status = 0;

	for (char *t = strsep(&rest, ", "); t && !status; t = strsep(&rest, ", ")) {
		if (!*t)
			continue;
		if (n == ARRAY_LEN(v))
			status = err_set(e, ERR_USAGE, "gemodel has at most 4 shares: p,r,1-h,1-k");
		else if (unit_parse(UNIT_PPM, t, &v[n++], e) < 0)
			status = err_wrap(e, "gemodel");
	}
	free(copy);
	if (!status && n == 0)
		status = err_set(e, ERR_USAGE, "gemodel wants shares: p[,r[,1-h[,1-k]]]");
	if (status)
		return status;
	if (n < 2)
		v[1] = 1000000 - v[0];
	struct link_gemodel *g = field;

	*g = (struct link_gemodel){v[0], v[1], v[2], v[3]};
	if (!v[0] && !v[3])
		*g = (struct link_gemodel){0};
	return 0;
}

/*
 * All four, also those that were left out: what is printed must read back as the same, whatever the
 * defaults may become.
 */
static const char *gemodel_format(const struct linkspec_key *k, const void *field, char *buf,
				  size_t size)
{
	const struct link_gemodel *g = field;
	char p[4][24];

	if (!g->p_ppm && !g->loss_good_ppm)
		return "";
	snprintf(buf, size, "%s,%s,%s,%s", unit_format(UNIT_PPM, g->p_ppm, p[0], sizeof(p[0])),
		 unit_format(UNIT_PPM, g->r_ppm, p[1], sizeof(p[1])),
		 unit_format(UNIT_PPM, g->loss_bad_ppm, p[2], sizeof(p[2])),
		 unit_format(UNIT_PPM, g->loss_good_ppm, p[3], sizeof(p[3])));
	return buf;
}

static bool gemodel_equal(const void *a, const void *b)
{
	return !memcmp(a, b, sizeof(struct link_gemodel));
}

static int text_parse(const struct linkspec_key *k, void *field, const char *text, struct err *e)
{
	size_t len = strlen(text);

	if (len >= (size_t)k->max)
		return err_set(e, ERR_USAGE, "%s is longer than %zu bytes", k->name,
			       (size_t)k->max - 1);
	if (!strcmp(text, "none"))
		len = 0;
	memset(field, 0, (size_t)k->max);
	memcpy(field, text, len);
	return 0;
}

/*
 * A schedule stays text in the spec: it is read here to see that it is right, and by the substrate
 * to be followed. A new spec that has the same text is therefore no change.
 */
static int schedule_parse(const struct linkspec_key *k, void *field, const char *text,
			  struct err *e)
{
	struct linksched s;

	if (strcmp(text, "none") != 0 && linkspec_parse_schedule(&s, text, e) < 0)
		return err_wrap(e, "%s", k->name);
	return text_parse(k, field, text, e);
}

static const char *text_format(const struct linkspec_key *k, const void *field, char *buf,
			       size_t size)
{
	return field;
}

static bool text_equal(const void *a, const void *b)
{
	return !strcmp(a, b);
}

static const struct value_kind number_kind = {number_parse, number_format, number_equal};
static const struct value_kind word_kind = {word_parse, word_format, number_equal};
static const struct value_kind gemodel_kind = {gemodel_parse, gemodel_format, gemodel_equal};
static const struct value_kind text_kind = {text_parse, text_format, text_equal};
static const struct value_kind schedule_kind = {schedule_parse, text_format, text_equal};

static const char *const distribution_words[] = {"uniform", "normal", "pareto", "paretonormal",
						 NULL};
static const char *const order_words[] = {"free", "keep", NULL};
static const char *const aqm_words[] = {"none", "red", "codel", NULL};
static const char *const framing_words[] = {"ethernet", "hdlc", NULL};
static const char *const switch_words[] = {"off", "on", NULL};

#define FIELD(f)  offsetof(struct linkspec, f)
#define RATE_MAX  INT64_C(10000000000000)
#define BYTES_MAX (INT64_C(1) << 40)
#define TIME_MAX  INT64_C(3600000000000)
#define SHARE_MAX 1000000
#define KEY(n, k, u, f, m, w, s, h)                                                           \
	{                                                                                     \
		.name = (n), .kind = &(k), .unit = (u), .scheduled = (s), .offset = FIELD(f), \
		.max = (m), .word = (w), .help = (h)                                          \
	}
#define NUMBER(n, u, f, m, h)    KEY(n, number_kind, u, f, m, NULL, false, h)
#define SCHEDULED(n, u, f, m, h) KEY(n, number_kind, u, f, m, NULL, true, h)
#define SHARE(n, f, h)           NUMBER(n, UNIT_PPM, f, SHARE_MAX, h)
#define WORD(n, f, w, h)         KEY(n, word_kind, UNIT_COUNT, f, 0, w, false, h)
#define TEXT(n, k, f, m, h)      KEY(n, k, UNIT_COUNT, f, m, NULL, false, h)

static const struct linkspec_key keys[] = {
	SCHEDULED("rate", UNIT_RATE, rate_bps, RATE_MAX, "bits per second"),
	NUMBER("burst", UNIT_SIZE, burst_bytes, BYTES_MAX, "bytes that may pass at once"),
	SCHEDULED("delay", UNIT_TIME, delay_ns, TIME_MAX, "time a frame is under way"),
	SCHEDULED("jitter", UNIT_TIME, jitter_ns, TIME_MAX, "spread of the delay"),
	WORD("distribution", distribution, distribution_words, "of the jitter"),
	TEXT("table", text_kind, table, LINK_PATH_MAX,
	     "file with the distribution of the jitter, as of tc"),
	SHARE("delay_correlation", delay_correlation_ppm, "of a delay with the one before"),
	WORD("order", order, order_words, "keep: jitter lets no frame overtake another"),
	SCHEDULED("loss", UNIT_PPM, loss_ppm, SHARE_MAX, "share of frames lost"),
	SHARE("loss_correlation", loss_correlation_ppm, "of a loss with the frame before"),
	TEXT("gemodel", gemodel_kind, gemodel, 0, "loss in bursts (Gilbert-Elliott): p,r,1-h,1-k"),
	NUMBER("loss_every", UNIT_COUNT, loss_every, INT64_C(1) << 40, "every n-th frame is lost"),
	SCHEDULED("duplicate", UNIT_PPM, duplicate_ppm, SHARE_MAX, "share of frames sent twice"),
	SHARE("duplicate_correlation", duplicate_correlation_ppm, "with the frame before"),
	SCHEDULED("corrupt", UNIT_PPM, corrupt_ppm, SHARE_MAX,
		  "share of frames with a flipped bit"),
	SHARE("corrupt_correlation", corrupt_correlation_ppm, "with the frame before"),
	SCHEDULED("reorder", UNIT_PPM, reorder_ppm, SHARE_MAX,
		  "share of frames that jump the delay"),
	SHARE("reorder_correlation", reorder_correlation_ppm, "with the frame before"),
	NUMBER("gap", UNIT_COUNT, gap, 1000000, "only every n-th frame may jump the delay"),
	NUMBER("limit", UNIT_COUNT, limit_frames, 10000000, "frames the queue holds"),
	NUMBER("limit_bytes", UNIT_SIZE, limit_bytes, BYTES_MAX, "bytes the queue holds"),
	WORD("aqm", aqm, aqm_words, "how the queue is managed before it is full"),
	WORD("ecn", ecn, switch_words, "mark instead of dropping, where the sender allows it"),
	NUMBER("red_min", UNIT_SIZE, red_min_bytes, BYTES_MAX, "average queue where RED begins"),
	NUMBER("red_max", UNIT_SIZE, red_max_bytes, BYTES_MAX, "average queue where RED takes all"),
	SHARE("red_probability", red_probability_ppm, "share that RED takes at red_max"),
	NUMBER("red_weight", UNIT_COUNT, red_weight, 20, "RED averages over 2^n frames"),
	NUMBER("codel_target", UNIT_TIME, codel_target_ns, TIME_MAX, "wait that CoDel allows"),
	NUMBER("codel_interval", UNIT_TIME, codel_interval_ns, TIME_MAX,
	       "for how long it may be more"),
	WORD("framing", framing, framing_words, "headers on the wire: of Ethernet, or of HDLC"),
	SCHEDULED("mtu", UNIT_SIZE, mtu, 65535, "largest packet that passes"),
	TEXT("schedule", schedule_kind, schedule, LINK_SCHEDULE_MAX,
	     "how parameters change over time"),
};

static const struct linkspec_key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static void *field_of(struct linkspec *s, const struct linkspec_key *k)
{
	return (char *)s + k->offset;
}

static const void *const_field_of(const struct linkspec *s, const struct linkspec_key *k)
{
	return (const char *)s + k->offset;
}

static int unknown_key(const char *key, struct err *e)
{
	struct nearest near;

	nearest_init(&near, key);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		nearest_offer(&near, keys[i].name);
	return err_set(e, ERR_USAGE, "a link has no parameter '%s'%s", key, nearest_hint(&near));
}

int linkspec_set_number(struct linkspec *s, const char *key, int kind, int64_t value, struct err *e)
{
	const struct linkspec_key *k = find_key(key);

	if (!k)
		return unknown_key(key, e);
	if (k->kind == &word_kind)
		return err_set(e, ERR_USAGE, "%s wants a word such as %s", key, k->word[1]);
	if (k->kind != &number_kind)
		return err_set(e, ERR_USAGE, "%s wants a string (%s)", key, k->help);
	if (kind != (int)k->unit && !(kind == UNIT_COUNT && (value == 0 || k->unit == UNIT_SIZE)))
		return err_set(e, ERR_USAGE, "%s wants %s", key, unit_example(k->unit));
	if (check_range(k, value, e) < 0)
		return -1;
	*(int64_t *)field_of(s, k) = value;
	return 0;
}

int linkspec_set(struct linkspec *s, const char *key, const char *value, struct err *e)
{
	const struct linkspec_key *k = find_key(key);

	return k ? k->kind->parse(k, field_of(s, k), value, e) : unknown_key(key, e);
}

bool linkspec_has_key(const char *key)
{
	return find_key(key) != NULL;
}

const char *linkspec_key(size_t i, const char **help)
{
	if (i >= ARRAY_LEN(keys))
		return NULL;
	*help = keys[i].help;
	return keys[i].name;
}

const char *linkspec_key_word(const char *key, size_t j)
{
	const struct linkspec_key *k = find_key(key);

	if (!k || !k->word)
		return NULL;
	for (size_t i = 0; i < j; i++)
		if (!k->word[i])
			return NULL;
	return k->word[j];
}

int64_t *linkspec_field(struct linkspec *s, const char *key, enum unit_kind *unit, int64_t *max)
{
	const struct linkspec_key *k = find_key(key);

	if (!k || !k->scheduled)
		return NULL;
	if (unit)
		*unit = k->unit;
	if (max)
		*max = k->max;
	return field_of(s, k);
}

static bool find_scheduled(const char *key, enum unit_kind *unit, int64_t *max)
{
	struct linkspec any = {0};

	return linkspec_field(&any, key, unit, max) != NULL;
}

int linkspec_parse_schedule(struct linksched *s, const char *text, struct err *e)
{
	return linksched_parse(s, text, find_scheduled, e);
}

void linkspec_print(FILE *out, const struct linkspec *s, const char *prefix)
{
	char buf[128];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *text = keys[i].kind->format(&keys[i], const_field_of(s, &keys[i]), buf,
							sizeof(buf));

		if (!*text)
			continue;
		char *word = xasprintf("%s%s=%s", prefix, keys[i].name, text);

		fputc(' ', out);
		words_put(out, word);
		free(word);
	}
}

char *linkspec_text(const struct linkspec *s)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	linkspec_print(f, s, "");
	fclose(f);
	if (len)
		memmove(text, text + 1, len);
	return text;
}

bool linkspec_equal(const struct linkspec *a, const struct linkspec *b)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!keys[i].kind->equal(const_field_of(a, &keys[i]), const_field_of(b, &keys[i])))
			return false;
	return true;
}
