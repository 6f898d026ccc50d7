#include "definition/compile.h"

#include "definition/condition.h"
#include "base/nearest.h"
#include "definition/scope.h"

struct compiler {
    struct arena *arena;
    struct problems *problems;
    struct pack *pack;
    struct scopes scopes;
};

/* Compiles one expression; NULL if there is none or it is wrong (said). */
static const struct type *compile(struct compiler *c, struct expr *expr, int kind,
                                  enum scope_use use, const struct type *row)
{
    struct condition_scope scope;
    const struct type *type;
    struct fault fault;

    if (expr == NULL)
        return NULL;
    scope = scopes_of(&c->scopes, kind, use, row);
    type = condition_check(c->arena, &scope, expr, &fault);
    if (type == NULL)
        problem_add(c->problems, PROBLEM_ERROR, (struct where){expr->file, expr->line},
                    fault.column, "%s", fault.text);
    return type;
}

static void gives(struct compiler *c, const struct expr *expr, const struct type *type,
                  const char *wanted)
{
    problem_add(c->problems, PROBLEM_ERROR, (struct where){expr->file, expr->line}, 1,
                "expected %s, but this gives %s", wanted, expr_sort_name(type->sort));
}

static void compile_sort(struct compiler *c, struct expr *expr, int kind, enum scope_use use,
                         const struct type *row, enum expr_sort sort)
{
    const struct type *type = compile(c, expr, kind, use, row);

    if (type != NULL && type->sort != sort && type->sort != SORT_DYN)
        gives(c, expr, type, expr_sort_name(sort));
}

static void compile_truth(struct compiler *c, struct expr *expr, int kind, enum scope_use use,
                          const struct type *row)
{
    compile_sort(c, expr, kind, use, row, SORT_BOOL);
}

/* The type of `row` inside an each: of its elements. */
static const struct type *compile_each(struct compiler *c, struct expr *each, int kind)
{
    const struct type *type;

    if (each == NULL)
        return NULL;
    type = compile(c, each, kind, SCOPE_EVENT, NULL);
    if (type != NULL && type->sort == SORT_LIST)
        return type->item;
    if (type != NULL && type->sort != SORT_DYN)
        gives(c, each, type, "a list or a table");
    return &TYPE_DYN;
}

/* ---- may this value stand in that field? ---- */

static bool fits(const struct type *type, const struct type *wanted)
{
    if (type->sort == SORT_DYN || type->sort == SORT_NULL || wanted->sort == SORT_DYN)
        return true;
    if (type->sort == SORT_LIST && wanted->sort == SORT_LIST)
        return fits(type->item, wanted->item);
    if (wanted->sort == SORT_TEXT && wanted->of == NULL)
        return type->sort == SORT_TEXT || type->sort == SORT_DATE || type->sort == SORT_SPAN;
    return type->sort == wanted->sort;
}

/* A constant for an enum must be one of its values. */
static void check_constant(struct compiler *c, const struct expr *expr, const struct field *field)
{
    const struct expr_node *root = expr->root;
    struct nearest nearest;
    int i;

    if (field->type != FIELD_ENUM || root->op != EXPR_CONST || root->constant.type != VALUE_STR ||
        words_have(&field->of, value_slice(&root->constant)))
        return;
    nearest = nearest_to(value_slice(&root->constant));
    for (i = 0; i < field->of.count; i++)
        nearest_offer(&nearest, field->of.at[i]);
    problem_add(c->problems, PROBLEM_ERROR, (struct where){expr->file, expr->line}, root->column,
                "'%.*s' is no value of '%s'%s", (int)root->constant.count, root->constant.as.text,
                field->name, nearest_hint(&nearest, &c->problems->arena));
}

static void unknown_field(struct compiler *c, const struct expr *expr, const struct kind *kind,
                          const char *name)
{
    struct nearest nearest = nearest_to(slice_str(name));
    int i;

    for (i = 0; i < kind->field_count; i++)
        nearest_offer(&nearest, kind->fields[i].name);
    nearest_offer(&nearest, "owner");
    nearest_offer(&nearest, "title");
    problem(c->problems, ((struct where){expr->file, expr->line}),
            "a %s has no field '%s' to set%s", kind->name, name,
            nearest_hint(&nearest, &c->problems->arena));
}

/* Warns where what an erasable field says would stand in an entry, and stay there. */
static void would_stay(struct compiler *c, const struct expr *expr, const struct type *type,
                       const char *where)
{
    bool is_told = expr != NULL && type != NULL &&
                   (type->sort == SORT_LIST || type->sort == SORT_MAP || type->sort == SORT_DYN ||
                    (type->sort == SORT_TEXT && type->of == NULL));

    if (is_told && ((expr->uses & EXPR_USES_ERASABLE) != 0 || type_is_erasable(type)))
        problem_add(c->problems, PROBLEM_WARNING, (struct where){expr->file, expr->line}, 1,
                    "this reads a field that can be erased, and %s would keep what it says: "
                    "disposal could not erase it there",
                    where);
}

/* A text among the inputs of a task is named by its hash; rows stand there as they are. */
static void input_would_stay(struct compiler *c, const struct expr *expr, const struct type *type)
{
    if (type != NULL && type->sort != SORT_TEXT)
        would_stay(c, expr, type, "the task, which is written down with its input,");
}

/* `target` is the kind whose fields are set; the expression sees `kind`. */
static void compile_setting(struct compiler *c, const struct setting *setting, int kind,
                            const struct type *row, const struct kind *target)
{
    const struct field *field = kind_field(target, slice_str(setting->field));
    const struct type *type = compile(c, setting->value, kind, SCOPE_EVENT, row), *wanted;
    bool own = strcmp(setting->field, "owner") == 0 || strcmp(setting->field, "title") == 0;

    if (field == NULL && !own) {
        unknown_field(c, setting->value, target, setting->field);
        return;
    }
    if (type == NULL)
        return;
    wanted = field == NULL ? &TYPE_TEXT : type_of_field(c->arena, field);
    if (!fits(type, wanted))
        problem_add(c->problems, PROBLEM_ERROR,
                    (struct where){setting->value->file, setting->value->line}, 1,
                    "'%s' holds %s, but this gives %s", setting->field,
                    expr_sort_name(wanted->sort), expr_sort_name(type->sort));
    else if (field != NULL)
        check_constant(c, setting->value, field);
    if (field == NULL || (!field->erasable && field->type != FIELD_FILE))
        would_stay(c, setting->value, type,
                   arena_printf(&c->problems->arena, "'%s'%s", setting->field,
                                field == NULL ? "" : " (which is not 'erasable')"));
}

/* ---- places ---- */

static void compile_task(struct compiler *c, const struct task_plan *task, int kind)
{
    const struct type *row = compile_each(c, task->each, kind);
    int i;

    compile_truth(c, task->when, kind, SCOPE_EVENT, row);
    for (i = 0; i < task->input_count; i++)
        input_would_stay(c, task->input[i].value,
                         compile(c, task->input[i].value, kind, SCOPE_EVENT, row));
}

static void compile_transition(struct compiler *c, const struct transition *row, int kind)
{
    int i;

    compile_truth(c, row->when, kind, SCOPE_EVENT, NULL);
    for (i = 0; i < row->set_count; i++)
        compile_setting(c, &row->set[i], kind, NULL, &c->pack->kinds[kind]);
    for (i = 0; i < row->task_count; i++)
        compile_task(c, &row->tasks[i], kind);
}

static void compile_field(struct compiler *c, const struct field *field, int kind)
{
    const struct type *row = NULL;
    int i;

    compile_truth(c, field->required_if, kind, SCOPE_RECORD, NULL);
    if (field->column_count > 0)
        row = type_of_field(c->arena, field)->item;
    for (i = 0; i < field->column_count; i++)
        compile_truth(c, field->columns[i].required_if, kind, SCOPE_RECORD, row);
}

static void compile_kind(struct compiler *c, int index)
{
    const struct kind *kind = &c->pack->kinds[index];
    int i;

    for (i = 0; i < kind->field_count; i++)
        compile_field(c, &kind->fields[i], index);
    for (i = 0; i < kind->need_count; i++)
        compile_truth(c, kind->needs[i].when, index, SCOPE_RECORD, NULL);
    for (i = 0; kind->approval != NULL && i < kind->approval->stage_count; i++) {
        compile_sort(c, kind->approval->stages[i].need, index, SCOPE_RECORD, NULL, SORT_INT);
        compile_truth(c, kind->approval->stages[i].when, index, SCOPE_RECORD, NULL);
    }
    for (i = 0; i < kind->lifecycle->transition_count; i++)
        compile_transition(c, &kind->lifecycle->transitions[i], index);
}

static void compile_signal_to(struct compiler *c, const struct rule *rule, const struct type *row)
{
    const struct type *type = compile(c, rule->signal_to, rule->kind, SCOPE_EVENT, row), *item;

    if (type == NULL)
        return;
    item = type->sort == SORT_LIST ? type->item : type;
    if (item->sort != SORT_TEXT && item->sort != SORT_DYN)
        gives(c, rule->signal_to, type, "a record id or a list of them");
}

static void compile_rule(struct compiler *c, const struct rule *rule)
{
    const struct type *row = compile_each(c, rule->each, rule->kind);
    const struct kind *target = rule->starts == MODEL_NONE ? NULL : &c->pack->kinds[rule->starts];
    int i;

    /* Asked once, before the elements of `each`: it sees none of them. */
    compile_truth(c, rule->when, rule->kind, SCOPE_EVENT, NULL);
    compile_sort(c, rule->title, rule->kind, SCOPE_EVENT, row, SORT_TEXT);
    compile_sort(c, rule->once, rule->kind, SCOPE_EVENT, row, SORT_TEXT);
    compile_signal_to(c, rule, row);
    would_stay(c, rule->title, &TYPE_TEXT, "the title");
    would_stay(c, rule->once, &TYPE_TEXT, "the once-key");
    for (i = 0; i < rule->set_count; i++) {
        if (target != NULL)
            compile_setting(c, &rule->set[i], rule->kind, row, target);
        else
            would_stay(c, rule->set[i].value,
                       compile(c, rule->set[i].value, rule->kind, SCOPE_EVENT, row),
                       "the signal, which is written down with its arguments,");
    }
    for (i = 0; i < rule->due_count && target != NULL; i++)
        compile_setting(c, &rule->due[i], rule->kind, row, target);
}

/* What a process measures is measured in its runs: the first kind of such records says what there is to see. */
static void compile_process(struct compiler *c, const struct process *process)
{
    int kind = 0, i;

    while (kind < c->pack->kind_count && !kind_is_run(&c->pack->kinds[kind]))
        kind++;
    for (i = 0; i < process->kpi_count && kind < c->pack->kind_count; i++) {
        struct expr *value = process->kpis[i].value;
        const struct type *type = compile(c, value, kind, SCOPE_RECORD, NULL);

        if (type != NULL && type->sort != SORT_INT && type->sort != SORT_TEXT &&
            type->sort != SORT_DYN)
            gives(c, value, type, "a number or a text");
        if (value != NULL && (value->uses & EXPR_USES_KPIS) != 0)
            problem(c->problems, ((struct where){value->file, value->line}),
                    "a figure cannot be computed from the figures");
    }
}

void compile_pack(struct pack *pack, struct arena *arena, struct problems *problems)
{
    struct compiler c = {.arena = arena, .problems = problems, .pack = pack};
    int i;

    scopes_init(&c.scopes, arena, pack);
    for (i = 0; i < pack->kind_count; i++)
        compile_kind(&c, i);
    for (i = 0; i < pack->rule_count; i++)
        compile_rule(&c, &pack->rules[i]);
    for (i = 0; i < pack->process_count; i++)
        compile_process(&c, &pack->processes[i]);
}
