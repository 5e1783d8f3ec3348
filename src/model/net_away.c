/* net_away.c - inputs of blocks wait in host memory for the backward pass.
 *
 * The device has two places for them, taken by turns.  The last two inputs need
 * not leave: they are used before anything takes their place. */
#include "model/net_parts.h"

static size_t input_bytes(const struct sxt_layout *layout, enum sxt_dtype type,
                          size_t t)
{
    return t * layout->config.hidden * sxt_dtype_size(type);
}

size_t sxt_net_away_bytes(const struct sxt_layout *layout, enum sxt_dtype type,
                          size_t max_t)
{
    return (layout->config.layers - 1) * input_bytes(layout, type, max_t);
}

static bool leaves(const struct sxt_net *net, size_t l)
{
    return net->room.inputs_away && l + 1 < net->layout->config.layers;
}

static void *host_place(const struct sxt_net *net, size_t l)
{
    return (char *)net->kept_host +
           l * input_bytes(net->layout, net->type, net->room.max_t);
}

void sxt_net_open_away(struct sxt_net *net)
{
    struct sxt_dev *dev = net->num->dev;

    if (!net->room.inputs_away)
        return;
    net->kept_host = sxt_pinned_alloc(
        dev, sxt_net_away_bytes(net->layout, net->type, net->room.max_t));
    net->ready = sxt_event_create(dev);
    for (int i = 0; i < 2; i++)
        net->left[i] = sxt_event_create(dev);
    net->came = sxt_event_create(dev);
    net->used = sxt_event_create(dev);
}

void sxt_net_close_away(struct sxt_net *net)
{
    struct sxt_dev *dev = net->num->dev;

    if (!net->room.inputs_away)
        return;
    sxt_stream_finish(dev, SXT_STREAM_OUT);
    sxt_stream_finish(dev, SXT_STREAM_IN);
    sxt_pinned_free(dev, net->kept_host);
    sxt_event_destroy(dev, net->ready);
    for (int i = 0; i < 2; i++)
        sxt_event_destroy(dev, net->left[i]);
    sxt_event_destroy(dev, net->came);
    sxt_event_destroy(dev, net->used);
}

void sxt_net_send_input(struct sxt_net *net, size_t l)
{
    struct sxt_dev *dev = net->num->dev;

    if (!leaves(net, l))
        return;
    sxt_event_record(dev, net->ready, SXT_STREAM_MAIN);
    sxt_stream_wait(dev, SXT_STREAM_OUT, net->ready);
    sxt_dev_get_on(dev, SXT_STREAM_OUT, host_place(net, l),
                   sxt_net_kept(net, l),
                   input_bytes(net->layout, net->type, net->t));
    sxt_event_record(dev, net->left[l % 2], SXT_STREAM_OUT);
}

void sxt_net_free_input(struct sxt_net *net, size_t l)
{
    if (net->room.inputs_away)
        sxt_stream_wait(net->num->dev, SXT_STREAM_MAIN, net->left[l % 2]);
}

void sxt_net_fetch_input(struct sxt_net *net, size_t l)
{
    struct sxt_dev *dev = net->num->dev;

    if (!leaves(net, l))
        return;
    sxt_event_record(dev, net->used, SXT_STREAM_MAIN);
    sxt_stream_wait(dev, SXT_STREAM_IN, net->used);
    sxt_stream_wait(dev, SXT_STREAM_IN, net->left[l % 2]);
    sxt_dev_put_on(dev, SXT_STREAM_IN, sxt_net_kept(net, l), host_place(net, l),
                   input_bytes(net->layout, net->type, net->t));
    sxt_event_record(dev, net->came, SXT_STREAM_IN);
}

void sxt_net_await_input(struct sxt_net *net, size_t l)
{
    if (leaves(net, l))
        sxt_stream_wait(net->num->dev, SXT_STREAM_MAIN, net->came);
}
