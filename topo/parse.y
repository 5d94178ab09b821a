/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The grammar (docs/language.md). Nothing separates statements, so every statement begins with a name
 * or a keyword, and no expression goes on with one. Actions build the tree and do nothing else.
 */
%define api.pure full
%define api.prefix {topo_yy}
%define api.location.type {struct loc}
%define parse.error custom
%define parse.lac full
%locations
%param { struct parser *p }
%expect 0

%code requires {
#include "topo/ast.h"
struct parser;
}

%code {
#include "topo/grammar.h"
}

%union {
	struct ast *tree;
	struct token *token;
	enum value_op op;
}

%token END_OF_FILE 0 "end of file"
%token <token> NAME "a name" NUMBER "a number" ADDRESS "an address" STRING "a string"
%token <token> TEXT_OPEN "a string with ${...}" TEXT_MIDDLE "the rest of the string"
%token <token> TEXT_CLOSE "the end of the string"
%token KW_FOR "'for'" KW_IN "'in'" KW_IF "'if'" KW_ELSE "'else'" KW_DEF "'def'"
%token KW_RETURN "'return'" KW_INCLUDE "'include'" KW_AT "'at'" KW_EXPECT "'expect'"
%token KW_WITHIN "'within'" KW_OF "'of'" KW_NOT "'not'" /* these in an expect only */
%token KW_STAYS "'stays'" <token> KW_CONVERGES "'converges'"
%token KW_MATCHES "'matches'"
%token KW_CONTAINS "'contains'" KW_JSON "'json'"
%token ELLIPSIS "'...'" DOTS "'..'" EQ "'=='" NE "'!='" LE "'<='" GE "'>='" AND "'&&'" OR "'||'"
%token STATEMENT_OVER "the end of the statement" /* made by the parser to go on after an error */

%type <tree> script statements statement top_statement block if target call names arguments
%type <tree> argument_list argument value expressions fields field text times
%type <tree> label span string condition verdict compared stays
%type <op> compare

%left OR
%left AND
%nonassoc EQ NE '<' LE '>' GE
%nonassoc DOTS
%left '+' '-'
%left '*' '/' '%'
%precedence UNARY
%precedence '['

%%

script : %empty                      { $$ = ast_create(p->arena, AST_BLOCK, @$); p->root = $$; }
       | script top_statement        { $$ = ast_add($1, $2); }
       ;

top_statement
       : statement
       | KW_INCLUDE STRING           { $$ = ast_create(p->arena, AST_INCLUDE, @$);
                                       $$->value = $2->value; $$->name_loc = @2; }
       | KW_DEF NAME '(' names ')' block
                                     { $$ = grammar_named(p, AST_DEF, @$, $2);
                                       ast_add(ast_add($$, $4), $6); }
       ;

statements
       : %empty                      { $$ = ast_create(p->arena, AST_BLOCK, @$); }
       | statements statement        { $$ = ast_add($1, $2); }
       ;

statement
       : target '=' value            { $$ = grammar_pair(p, AST_ASSIGN, @$, $1, $3); }
       | call
       | KW_FOR NAME KW_IN value block
                                     { $$ = grammar_named(p, AST_FOR, @$, $2);
                                       ast_add(ast_add($$, $4), $5); }
       | if
       | KW_AT value call            { $$ = grammar_pair(p, AST_AT, @$, $2, $3); }
       | KW_EXPECT label times condition
                                     { $$ = $4; $$->loc = @$; grammar_prepend($$, $3);
                                       grammar_prepend($$, $2); }
       | KW_EXPECT label KW_CONVERGES span
                                     { $$ = $4; $$->loc = @$; grammar_prepend($$, $2);
                                       ast_add($$, grammar_named(p, AST_CALL, @3, $3)); }
       | KW_RETURN value             { $$ = grammar_single(p, AST_RETURN, @$, $2); }
       | KW_RETURN ';'               { $$ = ast_create(p->arena, AST_RETURN, @$); }
       | ';'                         { $$ = NULL; }
       | error STATEMENT_OVER        { $$ = NULL; yyerrok; }
       ;

label  : %empty                      { $$ = ast_create(p->arena, AST_EXPECT, @$); }
       | string ':'                  { $$ = grammar_label(p, @$, $1, NULL); }
       | string ',' fields ':'       { $$ = grammar_label(p, @$, $1, $3); }
       ;

condition
       : call verdict stays          { $$ = $2; grammar_prepend($$, $3); ast_add($$, $1); }
       | KW_NOT call verdict stays   { $$ = $3; grammar_prepend($$, $4); ast_add($$, $2);
                                       $$->op = OP_NOT; }
       ;

verdict
       : %empty                      { $$ = ast_create(p->arena, AST_EXPECT, @$); }
       | compared
       | KW_MATCHES value            { $$ = grammar_verdict(p, @$, "matches", $2); }
       | KW_CONTAINS value           { $$ = grammar_verdict(p, @$, "contains", $2); }
       | KW_JSON '(' value ')' compared
                                     { $$ = $5;
                                       grammar_prepend($$, grammar_verdict(p, @$, "json", $3)); }
       ;

compared
       : compare value               { $$ = grammar_verdict(p, @$, value_op_name($1), $2); }
       ;

compare
       : EQ                          { $$ = OP_EQ; }
       | NE                          { $$ = OP_NE; }
       | '<'                         { $$ = OP_LT; }
       | LE                          { $$ = OP_LE; }
       | '>'                         { $$ = OP_GT; }
       | GE                          { $$ = OP_GE; }
       ;

stays  : %empty                      { $$ = ast_create(p->arena, AST_EXPECT, @$); }
       | KW_STAYS value              { $$ = grammar_verdict(p, @$, "stays", $2); }
       ;

times  : %empty                      { $$ = ast_create(p->arena, AST_EXPECT, @$); }
       | KW_AT value                 { $$ = grammar_times(p, @$, NULL, $2); }
       | span
       ;

span   : KW_WITHIN value             { $$ = grammar_times(p, @$, $2, NULL); }
       | KW_WITHIN value KW_OF value { $$ = grammar_times(p, @$, $2, $4); }
       ;

block  : '{' statements '}'          { $$ = $2; $$->loc = @$; }
       | '{' statements KW_RETURN '}' { $$ = $2; $$->loc = @$;
                                       ast_add($$, ast_create(p->arena, AST_RETURN, @3)); }
       ;

if     : KW_IF value block           { $$ = grammar_pair(p, AST_IF, @$, $2, $3); }
       | KW_IF value block KW_ELSE block
                                     { $$ = grammar_pair(p, AST_IF, @$, $2, $3);
                                       ast_add($$, $5); }
       | KW_IF value block KW_ELSE if
                                     { $$ = grammar_pair(p, AST_IF, @$, $2, $3);
                                       ast_add($$, $5); }
       ;

target : NAME                        { $$ = grammar_named(p, AST_NAME, @$, $1); }
       | target '[' value ']'        { $$ = grammar_pair(p, AST_INDEX, @$, $1, $3); }
       ;

names  : %empty                      { $$ = ast_create(p->arena, AST_LIST, @$); }
       | NAME                        { $$ = grammar_single(p, AST_LIST, @$,
                                                           grammar_named(p, AST_NAME, @1, $1)); }
       | names ',' NAME              { $$ = ast_add($1, grammar_named(p, AST_NAME, @3, $3)); }
       ;

call   : NAME '(' arguments ')'      { $$ = grammar_named(p, AST_CALL, @$, $1);
                                       grammar_move($$, $3); }
       ;

arguments
       : %empty                      { $$ = ast_create(p->arena, AST_LIST, @$); }
       | argument_list
       | argument_list ','
       | argument_list ',' ELLIPSIS  { $$ = ast_add($1, ast_create(p->arena, AST_MORE, @3)); }
       ;

argument_list
       : argument                    { $$ = grammar_single(p, AST_LIST, @$, $1); }
       | argument_list ',' argument  { $$ = ast_add($1, $3); }
       ;

argument
       : value
       | field
       ;

field  : NAME '=' value              { $$ = grammar_named(p, AST_FIELD, @$, $1);
                                       ast_add($$, $3); }
       ;

fields : field                       { $$ = grammar_single(p, AST_DICT, @$, $1); }
       | fields ',' field            { $$ = ast_add($1, $3); }
       ;

expressions
       : value                       { $$ = grammar_single(p, AST_LIST, @$, $1); }
       | expressions ',' value       { $$ = ast_add($1, $3); }
       ;

text   : TEXT_OPEN value             { $$ = grammar_pair(p, AST_TEXT, @$,
                                                         grammar_literal(p, @1, $1), $2); }
       | text TEXT_MIDDLE value      { $$ = ast_add(ast_add($1, grammar_literal(p, @2, $2)), $3); }
       ;

string : STRING                      { $$ = grammar_literal(p, @$, $1); }
       | text TEXT_CLOSE             { $$ = ast_add($1, grammar_literal(p, @2, $2));
                                       $$->loc = @$; }
       ;

value  : NAME                        { $$ = grammar_named(p, AST_NAME, @$, $1); }
       | NUMBER                      { $$ = grammar_literal(p, @$, $1); }
       | ADDRESS                     { $$ = grammar_literal(p, @$, $1); }
       | string
       | call
       | value '[' value ']'         { $$ = grammar_pair(p, AST_INDEX, @$, $1, $3); }
       | '(' value ')'               { $$ = $2; }
       | '{' value '}'               { $$ = $2; }
       | '{' '}'                     { $$ = ast_create(p->arena, AST_DICT, @$); }
       | '{' fields '}'              { $$ = $2; $$->loc = @$; }
       | '{' fields ',' '}'          { $$ = $2; $$->loc = @$; }
       | '[' ']'                     { $$ = ast_create(p->arena, AST_LIST, @$); }
       | '[' expressions ']'         { $$ = $2; $$->loc = @$; }
       | '[' expressions ',' ']'     { $$ = $2; $$->loc = @$; }
       | '-' value %prec UNARY       { $$ = grammar_operation(p, OP_NEG, @$, @1, $2, NULL); }
       | '!' value %prec UNARY       { $$ = grammar_operation(p, OP_NOT, @$, @1, $2, NULL); }
       | value '+' value             { $$ = grammar_operation(p, OP_ADD, @$, @2, $1, $3); }
       | value '-' value             { $$ = grammar_operation(p, OP_SUB, @$, @2, $1, $3); }
       | value '*' value             { $$ = grammar_operation(p, OP_MUL, @$, @2, $1, $3); }
       | value '/' value             { $$ = grammar_operation(p, OP_DIV, @$, @2, $1, $3); }
       | value '%' value             { $$ = grammar_operation(p, OP_MOD, @$, @2, $1, $3); }
       | value EQ value              { $$ = grammar_operation(p, OP_EQ, @$, @2, $1, $3); }
       | value NE value              { $$ = grammar_operation(p, OP_NE, @$, @2, $1, $3); }
       | value '<' value             { $$ = grammar_operation(p, OP_LT, @$, @2, $1, $3); }
       | value LE value              { $$ = grammar_operation(p, OP_LE, @$, @2, $1, $3); }
       | value '>' value             { $$ = grammar_operation(p, OP_GT, @$, @2, $1, $3); }
       | value GE value              { $$ = grammar_operation(p, OP_GE, @$, @2, $1, $3); }
       | value AND value             { $$ = grammar_operation(p, OP_AND, @$, @2, $1, $3); }
       | value OR value              { $$ = grammar_operation(p, OP_OR, @$, @2, $1, $3); }
       | value DOTS value            { $$ = grammar_operation(p, OP_RANGE, @$, @2, $1, $3); }
       ;
%%

static int yyreport_syntax_error(const yypcontext_t *ctx, struct parser *p)
{
	yysymbol_kind_t kinds[YYNTOKENS];
	const char *names[YYNTOKENS];
	int n = yypcontext_expected_tokens(ctx, kinds, YYNTOKENS);

	for (int i = 0; i < n; i++)
		names[i] = yysymbol_name(kinds[i]);
	grammar_report(p, names, n > 0 ? (size_t)n : 0);
	return 0;
}
