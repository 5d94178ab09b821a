# For interactive shells.
[ -n "$PS1" ] || return
PS1='\u@\h:\w\$ '
shopt -s checkwinsize
HISTCONTROL=ignoredups
alias ls='ls --color=auto' ll='ls -l' ip='ip --color=auto'
