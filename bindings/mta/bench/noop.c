/* A milter that asks for exactly the steps and actions of backstopd's and does nothing: what any milter costs Postfix.
 *
 *     cc noop.c -lmilter -lpthread -o noop && ./noop inet:8899@127.0.0.1 */
#include <libmilter/mfapi.h>
#include <stdio.h>

static sfsistat negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2, unsigned long f3,
                          unsigned long *to0, unsigned long *to1, unsigned long *to2, unsigned long *to3)
{
    (void)f2, (void)f3;
    smfi_setsymlist(ctx, SMFIM_ENVFROM, "{auth_authen}");
    smfi_setsymlist(ctx, SMFIM_ENVRCPT, "i");
    smfi_setsymlist(ctx, SMFIM_EOM, "i");
    *to0 = f0 & (SMFIF_CHGFROM | SMFIF_ADDRCPT | SMFIF_DELRCPT | SMFIF_SETSYMLIST);
    *to1 = f1 & (SMFIP_NOHELO | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY | SMFIP_NOUNKNOWN | SMFIP_NR_CONN | SMFIP_NR_MAIL);
    *to2 = *to3 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
    return (void)ctx, (void)name, (void)address, SMFIS_CONTINUE;
}

static sfsistat on_path(SMFICTX *ctx, char **argv) { return (void)ctx, (void)argv, SMFIS_CONTINUE; }

static sfsistat on_step(SMFICTX *ctx) { return (void)ctx, SMFIS_CONTINUE; }

int main(int argc, char **argv)
{
    struct smfiDesc filter = {.xxfi_name = "noop", .xxfi_version = SMFI_VERSION,
                              .xxfi_flags = SMFIF_CHGFROM | SMFIF_ADDRCPT | SMFIF_DELRCPT | SMFIF_SETSYMLIST,
                              .xxfi_connect = on_connect, .xxfi_envfrom = on_path, .xxfi_envrcpt = on_path,
                              .xxfi_data = on_step, .xxfi_eom = on_step, .xxfi_abort = on_step, .xxfi_close = on_step,
                              .xxfi_negotiate = negotiate};
    if (argc != 2 || smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS)
        return fprintf(stderr, "usage: noop SOCKET\n"), 2;
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
