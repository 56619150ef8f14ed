// Preloaded into a server that would listen on every interface: whatever it binds, it binds on 127.0.0.1. IPv6, which
// such a server must be told not to use, is refused.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int bind(int socket, const struct sockaddr *address, socklen_t length) {
    int (*bind_anywhere)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
    if (address->sa_family == AF_INET6) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    if (address->sa_family != AF_INET) {
        return bind_anywhere(socket, address, length);
    }
    struct sockaddr_in loopback;
    memcpy(&loopback, address, sizeof loopback);
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return bind_anywhere(socket, (const struct sockaddr *)&loopback, sizeof loopback);
}
