/* chat.c - ChatML, rendered to ids. */
#include "text/chat.h"

#include <string.h>

int sxt_chat_init(struct sxt_chat *chat, const struct sxt_tokenizer *tok,
                  struct sxt_error *err)
{
    int32_t start = sxt_tokenizer_id(tok, "<|im_start|>");
    int32_t end = sxt_tokenizer_id(tok, "<|im_end|>");

    if (start < 0 || end < 0)
        return sxt_err(err, SXT_EXIT_DATA,
                       "the tokenizer has no %s token: use a model of the "
                       "ChatML family",
                       start < 0 ? "<|im_start|>" : "<|im_end|>");
    *chat = (struct sxt_chat){ tok, start, end };
    return 0;
}

static void add_text(const struct sxt_chat *chat, struct sxt_span text,
                     enum sxt_added_kind added, struct sxt_ids *out)
{
    sxt_tokenizer_encode(chat->tok, text.data, text.len, added, out);
}

/* What is recognised in the assistant's text, which end_id closes.  Were one
 * of these tokens not special, the text could forge it. */
static enum sxt_added_kind said(const struct sxt_chat *chat, int32_t end_id)
{
    const int32_t border[] = { chat->start, chat->end, end_id };

    for (size_t i = 0; i < 3; i++)
        if (!sxt_tokenizer_is_special(chat->tok, border[i]))
            return SXT_ADDED_NONE;
    return SXT_ADDED_PLAIN;
}

/* <|im_start|>ROLE\n and CONTENT go into one encode, as the reference template
 * does: "\n" and the content's first spaces may belong to one piece. */
static void add_turn(const struct sxt_chat *chat, const char *role,
                     struct sxt_span content, struct sxt_ids *out)
{
    bool own = strcmp(role, "assistant") == 0;
    enum sxt_added_kind added = own ? said(chat, chat->end) : SXT_ADDED_NONE;
    struct sxt_str text = SXT_STR_EMPTY;

    sxt_str_add(&text, "%s\n", role);
    sxt_str_add_bytes(&text, content.data, content.len);
    sxt_ids_add(out, chat->start);
    add_text(chat, (struct sxt_span){ text.data, text.len }, added, out);
    sxt_str_free(&text);
}

void sxt_chat_render(const struct sxt_chat *chat,
                     const struct sxt_message *messages, size_t n, bool open,
                     struct sxt_ids *out)
{
    for (size_t i = 0; i < n; i++) {
        if (!messages[i].content.data)
            continue;
        add_turn(chat, messages[i].role, messages[i].content, out);
        sxt_ids_add(out, chat->end);
        add_text(chat, sxt_span("\n"), SXT_ADDED_NONE, out);
    }
    if (open)
        add_turn(chat, "assistant", sxt_span(""), out);
}

void sxt_chat_begin(const struct sxt_chat *chat, struct sxt_span text,
                    struct sxt_ids *out)
{
    add_text(chat, text, said(chat, chat->end), out);
}

void sxt_chat_answer(const struct sxt_chat *chat, struct sxt_span answer,
                     int32_t end_id, struct sxt_ids *out)
{
    add_text(chat, answer, said(chat, end_id), out);
    sxt_ids_add(out, end_id);
}
