/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What bison's grammar (parse.y) calls, and what is done about errors.
 *
 * A user wants to see all mistakes of a script at once, and no message about what merely follows
 * from another. So after an error the parser goes on at the next statement. Where that is, the
 * layout says, as it does to a reader: at the next line that is indented no more than the one at
 * fault, behind a ";", or at the "}" of the block around. The tokens before it are skipped, and a
 * token STATEMENT_OVER, which nobody can write, tells the grammar that a statement has ended. A
 * line on which something was found wrong already gets no second message.
 *
 * The message is made from the tokens that bison would have taken, dozens at times: they are
 * grouped into a few words ("an operator", "a value"). A keyword that is misspelt is guessed, and
 * what is missing at the end of a line is said of that line, not of the next.
 *
 * The words within, of, not, matches and so on mean something in an expect statement only:
 * kind_here() makes keywords of them there and nowhere else, so that scripts may use them as names.
 */
#include "topo/parse.h"

#include "lib/nearest.h"
#include "lib/xalloc.h"
#include "topo/grammar.h"

#include <string.h>

struct ast *grammar_named(struct parser *p, enum ast_kind kind, struct loc loc,
			  const struct token *name)
{
	struct ast *t = ast_create(p->arena, kind, loc);

	t->name = name->name;
	t->name_loc = name->loc;
	return t;
}

struct ast *grammar_literal(struct parser *p, struct loc loc, const struct token *token)
{
	struct ast *t = ast_create(p->arena, AST_LITERAL, loc);

	t->value = token->value;
	return t;
}

struct ast *grammar_single(struct parser *p, enum ast_kind kind, struct loc loc, struct ast *child)
{
	return ast_add(ast_create(p->arena, kind, loc), child);
}

struct ast *grammar_pair(struct parser *p, enum ast_kind kind, struct loc loc, struct ast *first,
			 struct ast *second)
{
	return ast_add(grammar_single(p, kind, loc, first), second);
}

struct ast *grammar_operation(struct parser *p, enum value_op op, struct loc loc, struct loc at,
			      struct ast *left, struct ast *right)
{
	struct ast *t = grammar_pair(p, right ? AST_BINARY : AST_UNARY, loc, left, right);

	t->op = op;
	t->name_loc = at;
	return t;
}

static void add_field(struct parser *p, struct ast *to, const char *name, struct ast *value)
{
	if (!value)
		return;
	struct ast *field = grammar_single(p, AST_FIELD, value->loc, value);

	field->name = name;
	field->name_loc = value->loc;
	ast_add(to, field);
}

struct ast *grammar_times(struct parser *p, struct loc loc, struct ast *within, struct ast *at)
{
	struct ast *t = ast_create(p->arena, AST_EXPECT, loc);

	add_field(p, t, "within", within);
	add_field(p, t, "at", at);
	return t;
}

struct ast *grammar_label(struct parser *p, struct loc loc, struct ast *name, struct ast *fields)
{
	struct ast *t = ast_create(p->arena, AST_EXPECT, loc);

	add_field(p, t, "name", name);
	add_field(p, t, "of name", fields);
	return t;
}

struct ast *grammar_verdict(struct parser *p, struct loc loc, const char *name, struct ast *value)
{
	struct ast *t = ast_create(p->arena, AST_EXPECT, loc);

	add_field(p, t, name, value);
	return t;
}

void grammar_prepend(struct ast *to, const struct ast *from)
{
	if (!from->first)
		return;
	from->last->next = to->first;
	if (!to->first)
		to->last = from->last;
	to->first = from->first;
	if (from->depth > to->depth)
		to->depth = from->depth;
}

void grammar_move(struct ast *to, struct ast *from)
{
	to->first = from->first;
	to->last = from->last;
	to->depth = from->depth;
}

/* True if all brackets around the token are those of blocks. */
static bool is_in_blocks_only(const struct parser *p, size_t i)
{
	const struct token *at = p->tokens.list.at;

	for (int open = at[i].parent; open >= 0; open = at[open].parent)
		if (!at[open].is_block)
			return false;
	return true;
}

/* What an expectation says behind its call: "ping(a, b) stays 10s". */
static int kind_behind_call(const struct token *t)
{
	static const struct {
		const char *name;
		int kind;
		int next[5]; /* one of these follows: no statement goes on like that */
	} words[] = {
		{"stays", KW_STAYS, {NUMBER, NAME, '(', '('}},
		{"matches", KW_MATCHES, {STRING, TEXT_OPEN, NAME, NAME}},
		{"contains", KW_CONTAINS, {STRING, TEXT_OPEN, NAME, '{', '['}},
		{"json", KW_JSON, {'(', '(', '(', '('}},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (size_t k = 0; k < 5 && !strcmp(words[i].name, t->name); k++)
			if (t[1].kind == words[i].next[k])
				return words[i].kind;
	return NAME;
}

static bool is_begin_of_check(const struct token *t)
{
	return t->kind == KW_EXPECT || t->kind == ':';
}

/* The kind of a token for the grammar: an expect has words of its own. */
static int kind_here(struct parser *p, size_t i)
{
	const struct token *t = &p->tokens.list.at[i];

	if (is_begin_of_check(t))
		p->in_expect = true;
	else if ((t->kind == '=' || t->kind == ';') && is_in_blocks_only(p, i))
		p->in_expect = false;
	if (t->kind != NAME || !p->in_expect)
		return t->kind;
	bool goes_on = t[1].kind == NAME || t[1].kind == NUMBER;

	if (!strcmp(t->name, "converges") && is_begin_of_check(&t[-1]) && t[1].kind == NAME)
		return KW_CONVERGES;
	if (!strcmp(t->name, "within") &&
	    (is_begin_of_check(&t[-1]) ||
	     (t[-1].kind == NAME && !strcmp(t[-1].name, "converges") && goes_on)))
		return KW_WITHIN;
	if (!strcmp(t->name, "of") && goes_on)
		return KW_OF;
	if (!strcmp(t->name, "not") && goes_on)
		return KW_NOT;
	/* On the line of the call: at the begin of another it may be a function of the script's. */
	return t->is_first && strcmp(t->name, "stays") != 0 ? NAME : kind_behind_call(t);
}

int topo_yylex(union TOPO_YYSTYPE *value, struct loc *loc, struct parser *p)
{
	struct token *t = &p->tokens.list.at[p->next];

	p->current = p->next;
	value->token = t;
	*loc = t->loc;
	if (p->is_lost) {
		p->is_lost = false;
		loc->end = loc->at;
		return STATEMENT_OVER;
	}
	if (t->kind != END_OF_FILE)
		p->next++;
	return kind_here(p, p->current);
}

void topo_yyerror(struct loc *loc, struct parser *p, const char *message)
{
	/* Only for an overflow of the parser's stack: syntax errors go to grammar_report(). */
	diag_add(p->diag, *loc, "nested too deeply");
}

/* ---- after an error ---- */

/* The token with which the statement that holds token i began, as far as lines tell. */
static size_t statement_start(const struct parser *p, size_t i)
{
	while (i > 0 && !(p->tokens.list.at[i].is_first && is_in_blocks_only(p, i)))
		i--;
	return i;
}

static int enclosing_block(const struct parser *p, size_t i)
{
	const struct token *at = p->tokens.list.at;
	int open = at[i].parent;

	while (open >= 0 && !at[open].is_block)
		open = at[open].parent;
	return open;
}

/*
 * Where to go on after an error at token k: somewhere else than the last time. If it could stay,
 * the same token would be reported for ever.
 */
static size_t find_next_statement(const struct parser *p, size_t k, bool may_stay)
{
	const struct token *at = p->tokens.list.at;
	unsigned column = at[statement_start(p, k ? k - 1 : 0)].column;
	int block = enclosing_block(p, k);
	size_t i = k;

	for (; at[i].kind != END_OF_FILE; i++) {
		if (i == k && !may_stay)
			continue;
		if (at[i].is_first && at[i].column <= column && at[i].kind != '}')
			break;
		if (at[i].kind == ';' && is_in_blocks_only(p, i))
			break;
		if (at[i].kind == '}' && block >= 0 && at[i].parent == at[block].parent &&
		    is_in_blocks_only(p, i))
			break;
	}
	return i;
}

/* ---- what the message says ---- */

static bool contains(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static bool is_one_of(const char *const *set, const char *name)
{
	for (; *set; set++)
		if (!strcmp(*set, name))
			return true;
	return false;
}

static const char *const value_starts[] = {
	"a name", "a number", "an address", "a string", "a string with ${...}", "'('", "'{'",
	"'['",    "'-'",      "'!'",        NULL};
static const char *const operators[] = {"'+'",  "'-'",  "'*'",  "'/'", "'%'",  "'=='",
					"'!='", "'<'",  "'<='", "'>'", "'>='", "'&&'",
					"'||'", "'..'", "'['",  NULL};
static const char *const statement_starts[] = {"'for'",     "'if'",  "'return'", "';'",
					       "'include'", "'def'", "'else'",   "'at'",
					       "'expect'",  NULL};

struct wanted {
	const char *names[8];
	size_t n;
};

static void want(struct wanted *w, const char *name)
{
	if (w->n < ARRAY_LEN(w->names))
		w->names[w->n++] = name;
}

/* True for what might go on with a name, but is hardly what was forgotten. */
static bool is_far_fetched(const char *const *names, size_t n, const char *name)
{
	static const char *const after_name[] = {"'('", "'='", "'['", NULL};
	bool closes = contains(names, n, "')'") || contains(names, n, "','") ||
		      contains(names, n, "'}'") || contains(names, n, "'{'") ||
		      contains(names, n, "'*'");

	return closes && !contains(names, n, "a number") && is_one_of(after_name, name);
}

/* Groups what was expected into a few plain words. */
static struct wanted group_expected(const char *const *names, size_t n)
{
	struct wanted w = {0};
	bool value = contains(names, n, "a number");
	bool statement = contains(names, n, "'for'");
	bool operation = contains(names, n, "'*'");

	if (value)
		want(&w, "a value");
	if (statement)
		want(&w, operation ? "the next statement" : "a statement");
	for (size_t i = 0; i < n; i++) {
		if (value && is_one_of(value_starts, names[i]))
			continue;
		if (statement && (is_one_of(statement_starts, names[i]) ||
				  !strcmp(names[i], "a name") || !strcmp(names[i], "end of file")))
			continue;
		if ((operation && is_one_of(operators, names[i])) ||
		    is_far_fetched(names, n, names[i]))
			continue;
		if (!strcmp(names[i], "the end of the statement"))
			continue;
		want(&w, names[i]);
	}
	if (operation && statement)
		want(&w, "an operator");
	return w;
}

static char *join_expected(struct parser *p, const struct wanted *w)
{
	char *text = arena_strdup(p->arena, "");

	for (size_t i = 0; i < w->n; i++)
		text = arena_printf(p->arena, "%s%s%s", text,
				    i == 0          ? ""
				    : i + 1 == w->n ? " or "
						    : ", ",
				    w->names[i]);
	return text;
}

static const char *describe(struct parser *p, const struct token *t)
{
	size_t len = t->loc.end - t->loc.at;

	if (t->kind == END_OF_FILE)
		return "the end of the file";
	if (t->kind == STRING || t->kind == TEXT_OPEN)
		return "a string";
	if (t->kind == TEXT_MIDDLE || t->kind == TEXT_CLOSE)
		return "'}'";
	return arena_printf(p->arena, "'%.*s'", len > 40 ? 40 : (int)len,
			    t->loc.src->text + t->loc.at);
}

/* "fro i in 1..3": a name where a keyword was meant. */
static const char *keyword_hint(struct parser *p, size_t k)
{
	const struct token *before = k ? &p->tokens.list.at[k - 1] : NULL;
	struct nearest near;

	if (!before || before->kind != NAME || strlen(before->name) < 2)
		return "";
	nearest_init(&near, before->name);
	nearest_limit(&near, 2);
	for (size_t i = 0; lex_keyword(i); i++)
		nearest_offer(&near, lex_keyword(i));
	return arena_strdup(p->arena, nearest_hint(&near));
}

/* True if the lexer found something wrong on the line: an error there only follows from it. */
static bool line_is_told(const struct parser *p, const struct token *t)
{
	int line;
	int other;
	int column;

	source_position(t->loc.src, t->loc.at, &line, &column);
	for (size_t i = 0; i < p->n_lexical; i++) {
		const struct diag_item *d = &p->diag->items.at[i];

		source_position(d->loc.src, d->loc.at, &other, &column);
		if (d->loc.src == t->loc.src && other == line)
			return true;
	}
	return false;
}

static bool is_closing(int kind)
{
	return kind == ')' || kind == ']' || kind == '}';
}

/* Reports the error at token k. */
static void tell(struct parser *p, size_t k, const char *const *expected, size_t n)
{
	const struct token *t = &p->tokens.list.at[k];
	struct wanted w = group_expected(expected, n);
	char *list = join_expected(p, &w);
	bool wants_statement = contains(expected, n, "'for'");
	const char *hint = contains(expected, n, "'='") ? keyword_hint(p, k) : "";

	if (wants_statement && (t->kind == KW_DEF || t->kind == KW_INCLUDE)) {
		diag_add(p->diag, t->loc, "%s stands outside of all blocks", describe(p, t));
	} else if (wants_statement && is_closing(t->kind)) {
		diag_add(p->diag, t->loc, "%s closes nothing", describe(p, t));
	} else if (k > 0 && !wants_statement && t->is_first && list[0]) {
		/* What is missing belongs to the line before. */
		struct loc end = t[-1].loc;

		end.at = end.end;
		diag_add(p->diag, end, "expected %s after %s%s", list, describe(p, &t[-1]), hint);
	} else if (!list[0] || w.n >= ARRAY_LEN(w.names)) {
		diag_add(p->diag, t->loc, "unexpected %s", describe(p, t));
	} else {
		diag_add(p->diag, t->loc, "expected %s, not %s%s", list, describe(p, t), hint);
	}
}

void grammar_report(struct parser *p, const char *const *expected, size_t n)
{
	const struct token *at = p->tokens.list.at;
	size_t k = p->current;
	bool may_stay = p->lost_at != k + 1;

	if (!line_is_told(p, &at[k]) && !(k && at[k].is_first && line_is_told(p, &at[k - 1])))
		tell(p, k, expected, n);
	p->lost_at = k + 1;
	p->next = find_next_statement(p, k, may_stay);
	p->is_lost = true;
}

/*
 * Deeper trees would overflow the stack of those who walk them. The parser's own stack has a bound,
 * too (bison's YYMAXDEPTH), which topo_yyerror() reports.
 */
static void check_depth(struct parser *p, const struct ast *root)
{
	if (root->depth <= AST_MAX_DEPTH + 1)
		return;
	for (const struct ast *t = root->first; t; t = t->next) {
		if (t->depth > AST_MAX_DEPTH) {
			struct loc loc = t->loc;

			loc.end = loc.at + 1;
			diag_add(p->diag, loc, "nested more than %d levels deep", AST_MAX_DEPTH);
		}
	}
}

struct ast *parse_source(struct arena *a, struct diag *d, const struct source *src)
{
	struct parser p = {.arena = a, .diag = d};

	if (src->len > LEX_MAX_BYTES) {
		diag_add(d, (struct loc){src, 0, 0}, "the file is larger than %d bytes",
			 LEX_MAX_BYTES);
		return ast_create(a, AST_BLOCK, (struct loc){src, 0, 0});
	}
	lex_run(a, d, src, &p.tokens);
	p.n_lexical = d->items.n;
	if (!p.tokens.gave_up && !diag_is_full(d))
		topo_yyparse(&p);
	if (!p.root)
		p.root = ast_create(a, AST_BLOCK, (struct loc){src, 0, 0});
	check_depth(&p, p.root);
	vec_free(&p.tokens.list);
	return p.root;
}
