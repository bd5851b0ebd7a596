/* Written for classic BPF: the kernel checks it, needs no right for it, and it reads nothing but the frame.
 */
#include "fanout.h"

#include <linux/if_ether.h>

#include "base/log.h"
#include "base/mem.h"
#include "decode/owner.h"

/* Loads at the network header work for frames that come in and for those that go out; the start of the link's
 * header is elsewhere for each. */
#define NET(at) ((uint32_t)SKF_NET_OFF + (at))

/* Words of the scratch memory. */
enum { BASE, SUM, WORD };

enum label { LABEL_V4, LABEL_V6, LABEL_TAG, LABEL_TAG_V4, LABEL_TAG_V6, LABEL_PORTS, LABEL_DONE, LABELS };

/* A jump's k is the label until all labels have a place. */
struct assembler {
	struct fanout_program *p;
	unsigned place[LABELS];
	bool jump[FANOUT_PROGRAM_MAX];
};

static void
emit(struct assembler *a, unsigned code, uint32_t k)
{
	if (a->p->len == FANOUT_PROGRAM_MAX)
		fatalx("the fan-out program is too long");
	a->p->code[a->p->len++] = (struct sock_filter)BPF_STMT((uint16_t)code, k);
}

static void
label(struct assembler *a, enum label l)
{
	a->place[l] = a->p->len;
}

static void
go(struct assembler *a, enum label to)
{
	a->jump[a->p->len] = true;
	emit(a, BPF_JMP | BPF_JA, to);
}

/* Where A compares with k; how: BPF_JEQ, BPF_JSET. */
static void
go_if(struct assembler *a, unsigned how, uint32_t k, enum label to)
{
	emit(a, BPF_JMP | how | BPF_K, k);
	a->p->code[a->p->len - 1].jf = 1;
	go(a, to);
}

static void
link_jumps(struct assembler *a)
{
	for (unsigned i = 0; i < a->p->len; i++)
		if (a->jump[i])
			a->p->code[i].k = a->place[a->p->code[i].k] - i - 1;
}

/* A = the bytes at `at` behind the header at BASE. */
static void
load(struct assembler *a, unsigned size, uint32_t at)
{
	emit(a, BPF_LDX | BPF_MEM, BASE);
	emit(a, BPF_LD | size | BPF_IND, NET(at));
}

static void
base_is(struct assembler *a, uint32_t at)
{
	emit(a, BPF_LDX | BPF_IMM, at);
	emit(a, BPF_STX, BASE);
}

/* SUM += scramble(A) */
static void
scramble(struct assembler *a)
{
	emit(a, BPF_ALU | BPF_MUL | BPF_K, OWNER_FIRST);
	emit(a, BPF_MISC | BPF_TAX, 0);
	emit(a, BPF_ALU | BPF_RSH | BPF_K, OWNER_SHIFT);
	emit(a, BPF_ALU | BPF_XOR | BPF_X, 0);
	emit(a, BPF_ALU | BPF_MUL | BPF_K, OWNER_THEN);
	emit(a, BPF_LDX | BPF_MEM, SUM);
	emit(a, BPF_ALU | BPF_ADD | BPF_X, 0);
	emit(a, BPF_ST, SUM);
}

/* An IPv4 address is 0, 0, ffff, and itself. */
static void
address_v4(struct assembler *a, uint32_t at)
{
	load(a, BPF_W, at);
	emit(a, BPF_ALU | BPF_ADD, 0xffffu * OWNER_FOLD);
	scramble(a);
}

static void
address_v6(struct assembler *a, uint32_t at)
{
	load(a, BPF_W, at);
	for (uint32_t i = 4; i < 16; i += 4) {
		emit(a, BPF_ALU | BPF_MUL | BPF_K, OWNER_FOLD);
		emit(a, BPF_ST, WORD);
		load(a, BPF_W, at + i);
		emit(a, BPF_LDX | BPF_MEM, WORD);
		emit(a, BPF_ALU | BPF_ADD | BPF_X, 0);
	}
	scramble(a);
}

/* BASE += A */
static void
advance(struct assembler *a)
{
	emit(a, BPF_LDX | BPF_MEM, BASE);
	emit(a, BPF_ALU | BPF_ADD | BPF_X, 0);
	emit(a, BPF_ST, BASE);
}

/* A is the protocol: whether ports count. The header's length comes next. */
static void
ports_or_done(struct assembler *a)
{
	emit(a, BPF_JMP | BPF_JEQ | BPF_K, IP_TCP);
	a->p->code[a->p->len - 1].jt = 2;
	emit(a, BPF_JMP | BPF_JEQ | BPF_K, IP_UDP);
	a->p->code[a->p->len - 1].jt = 1;
	go(a, LABEL_DONE);
}

static void
find_header(struct assembler *a)
{
	static const uint16_t tags[] = { ETH_P_8021Q, ETH_P_8021AD, 0x9100 };

	base_is(a, 0);
	emit(a, BPF_LD | BPF_IMM, 0);
	emit(a, BPF_ST, SUM);
	emit(a, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
	go_if(a, BPF_JEQ, ETH_P_IP, LABEL_V4);
	go_if(a, BPF_JEQ, ETH_P_IPV6, LABEL_V6);
	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		go_if(a, BPF_JEQ, tags[i], LABEL_TAG);
	emit(a, BPF_RET | BPF_K, 0);

	/* Of a frame that comes in the tag stands at the network header; of one that goes out it may stand
	 * before it. */
	label(a, LABEL_TAG);
	emit(a, BPF_LD | BPF_H | BPF_ABS, NET(2));
	go_if(a, BPF_JEQ, ETH_P_IP, LABEL_TAG_V4);
	go_if(a, BPF_JEQ, ETH_P_IPV6, LABEL_TAG_V6);
	emit(a, BPF_LD | BPF_B | BPF_ABS, NET(0));
	emit(a, BPF_ALU | BPF_AND | BPF_K, 0xf0);
	go_if(a, BPF_JEQ, 0x40, LABEL_V4);
	go_if(a, BPF_JEQ, 0x60, LABEL_V6);
	emit(a, BPF_RET | BPF_K, 0);
	label(a, LABEL_TAG_V6);
	base_is(a, 4);
	go(a, LABEL_V6);
	label(a, LABEL_TAG_V4);
	base_is(a, 4);
}

void
fanout_compile(struct fanout_program *p, unsigned workers)
{
	struct assembler a = { .p = p };

	p->len = 0;
	find_header(&a);

	label(&a, LABEL_V4);
	address_v4(&a, 12);
	address_v4(&a, 16);
	load(&a, BPF_H, 6);
	go_if(&a, BPF_JSET, 0x3fff, LABEL_DONE); /* a fragment */
	load(&a, BPF_B, 9);
	ports_or_done(&a);
	load(&a, BPF_B, 0);
	emit(&a, BPF_ALU | BPF_AND | BPF_K, 0x0f);
	emit(&a, BPF_ALU | BPF_LSH | BPF_K, 2);
	advance(&a);
	go(&a, LABEL_PORTS);

	label(&a, LABEL_V6);
	address_v6(&a, 8);
	address_v6(&a, 24);
	load(&a, BPF_B, 6);
	ports_or_done(&a);
	emit(&a, BPF_LD | BPF_IMM, 40);
	advance(&a);

	label(&a, LABEL_PORTS);
	load(&a, BPF_H, 0);
	scramble(&a);
	load(&a, BPF_H, 2);
	scramble(&a);

	label(&a, LABEL_DONE);
	emit(&a, BPF_LD | BPF_MEM, SUM);
	emit(&a, BPF_ALU | BPF_RSH | BPF_K, 16);
	emit(&a, BPF_ALU | BPF_MUL | BPF_K, workers);
	emit(&a, BPF_ALU | BPF_RSH | BPF_K, 16);
	emit(&a, BPF_RET | BPF_A, 0);
	link_jumps(&a);
}
