/* A Modbus slave by libmodbus: unit 1 with 16 cells in each table; whatever lies beyond is refused with exception 2.
 *
 * usage: libmodbus_slave CELLS tcp PORT | rtu DEVICE
 * CELLS is a file that is mapped as the four tables, so that a test sets and reads cells by writing and reading the file. Layout, bytes:
 * 0 coils (16 of u8), 16 discrete inputs (16 of u8), 32 holding registers (16 of u16), 64 input registers (16 of u16), in the machine's byte order;
 * 96 what becomes of writes: 0 they are done, 255 they are acknowledged and not done, any other is the exception that they are refused with.
 */

#include <fcntl.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CELLS = 16, UNIT = 1, TABLES = 96, WRITES = 96, SIZE = 97, NOT_DONE = 255 };

static void need(int well, const char *what)
{
    if (!well) {
        perror(what);
        exit(1);
    }
}

static uint8_t *cells;

static modbus_mapping_t tables(const char *path)
{
    int file = open(path, O_RDWR);
    need(file >= 0, path);
    cells = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    need(cells != MAP_FAILED, "mmap");
    modbus_mapping_t map;
    memset(&map, 0, sizeof map);
    map.nb_bits = map.nb_input_bits = map.nb_registers = map.nb_input_registers = CELLS;
    map.tab_bits = cells;
    map.tab_input_bits = cells + 16;
    map.tab_registers = (uint16_t *)(cells + 32);
    map.tab_input_registers = (uint16_t *)(cells + 64);
    return map;
}

static int is_write(int function)
{
    return function == MODBUS_FC_WRITE_SINGLE_COIL || function == MODBUS_FC_WRITE_SINGLE_REGISTER ||
           function == MODBUS_FC_WRITE_MULTIPLE_COILS || function == MODBUS_FC_WRITE_MULTIPLE_REGISTERS;
}

static void answer(modbus_t *slave, const uint8_t *request, int length, modbus_mapping_t *map)
{
    uint8_t before[TABLES];
    int writes = is_write(request[modbus_get_header_length(slave)]) ? cells[WRITES] : 0;
    if (writes != 0 && writes != NOT_DONE) {
        modbus_reply_exception(slave, request, writes);
        return;
    }
    memcpy(before, cells, TABLES);
    modbus_reply(slave, request, length, map);
    if (writes == NOT_DONE) {
        memcpy(cells, before, TABLES);
    }
}

/* Answers until the master hangs up; a frame that is broken or another unit's is passed over. */
static void serve(modbus_t *slave, modbus_mapping_t *map)
{
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
        int length = modbus_receive(slave, request);
        if (length > 0) {
            answer(slave, request, length, map);
        } else if (length < 0 && modbus_get_header_length(slave) > 1) {
            return; /* TCP: the connection is gone. */
        }
    }
}

int main(int count, char **words)
{
    if (count != 4) {
        fprintf(stderr, "usage: %s CELLS tcp PORT | rtu DEVICE\n", words[0]);
        return 2;
    }
    modbus_mapping_t map = tables(words[1]);
    int over_tcp = strcmp(words[2], "tcp") == 0;
    modbus_t *slave = over_tcp ? modbus_new_tcp("127.0.0.1", atoi(words[3]))
                               : modbus_new_rtu(words[3], 9600, 'N', 8, 1);
    need(slave != NULL, "modbus_new");
    need(modbus_set_slave(slave, UNIT) == 0, "modbus_set_slave");
    if (!over_tcp) {
        need(modbus_connect(slave) == 0, words[3]);
        puts("ready");
        fflush(stdout);
        serve(slave, &map);
        return 0;
    }
    int listener = modbus_tcp_listen(slave, 1);
    need(listener >= 0, "modbus_tcp_listen");
    puts("ready");
    fflush(stdout);
    for (;;) {
        need(modbus_tcp_accept(slave, &listener) >= 0, "modbus_tcp_accept");
        serve(slave, &map);
        modbus_close(slave);
    }
}
